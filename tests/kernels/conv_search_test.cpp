// On the GPU: what one thread has searched, the next one finds in the file; every way a file can name gives the
// numbers of the reference loops.
#include "kernels/conv_packing.h"
#include "kernels/engine_name.h"
#include "kernels/hopper/implicit.h"
#include "kernels/hopper/implicit_weights.h"
#include "kernels/hopper/stem.h"
#include "tests/kernels/dictated_ways.h"

namespace dactyl {
namespace {

const Layer alexnet{"AlexNet's stem", {4, 227, 227, 3}, {96, 11, 11, 3}, square(11, 4)};
const Layer googlenet{"GoogLeNet's stem", {4, 224, 224, 3}, {64, 7, 7, 3}, square(7, 2, 3)};
const Layer i3d{"I3D's stem", {1, 10, 112, 112, 3}, {64, 7, 7, 7, 3}, {{7, 7, 7}, {2, 2, 2}, {2, 2, 2}, {3, 3, 3}}};
const Layer flow{
    "I3D's stem of flow", {1, 10, 112, 112, 2}, {64, 7, 7, 7, 2}, {{7, 7, 7}, {2, 2, 2}, {2, 2, 2}, {3, 3, 3}}};
const Layer middle{"I3D's 3×3×3", {2, 10, 28, 28, 96}, {128, 3, 3, 3, 96}, window({3, 3, 3}, {1, 1, 1}, {1, 1, 1})};
const Layer grouped{"AlexNet's grouped 5×5", {8, 27, 27, 96}, {256, 5, 5, 48}, square(5, 1, 2), 2};

TEST_F(ConvSearch, is_not_repeated_by_who_comes_later) {
  std::vector<std::vector<float>> first, second;
  const PlanCounts none = plan_counts();
  apart([&] { first = passes(middle, DType::bf16, Algorithm::library, true); });
  const PlanCounts searched = plan_counts();
  EXPECT_EQ(searched.searched, none.searched + 3);
  ASSERT_EQ(plan_files().size(), 1u);
  EXPECT_GE(plan_files()[0].plans, 3);
  apart([&] { second = passes(middle, DType::bf16, Algorithm::library, true); });
  const PlanCounts remembered = plan_counts();
  EXPECT_EQ(remembered.searched, searched.searched);
  EXPECT_EQ(remembered.remembered, searched.remembered + 3);
  EXPECT_EQ(first, second) << "the same plans give the same bits";
}

TEST_F(ConvSearch, is_repeated_where_the_file_names_what_is_not_there) {
  dictate(middle, DType::bf16, [](const ConvProblem&) { return "engine 99999, 1=1"; });
  const PlanCounts before = plan_counts();
  std::vector<std::vector<float>> got, want;
  apart([&] {
    got = passes(middle, DType::bf16, Algorithm::library, false);
    want = passes(middle, DType::bf16, Algorithm::reference, false);
  });
  EXPECT_EQ(plan_counts().searched, before.searched + 2);
  EXPECT_LE(distance(got[0], want[0]), 1e-2);
}

TEST_F(ConvSearch, columns_give_the_right_numbers) {
  for (const DType type : {DType::f32, DType::bf16, DType::f16})
    for (const Layer& l : {alexnet, i3d, middle, grouped}) expect_right(l, type, "columns", true);
}

TEST_F(ConvSearch, packed_stems_give_the_right_numbers) {
  for (const DType type : {DType::f32, DType::bf16, DType::f16})
    for (const Layer& l : {alexnet, googlenet, i3d, flow}) {
      std::vector<Packing> all;
      apart([&] {
        const Tensor x(l.x, type), w(l.w, type), y(output_shape(l.x, l.window, l.w[0]), type);
        all = packings(conv_problem(Pass::forward, x, w, y, {.window = l.window}));
      });
      EXPECT_GE(all.size(), 4u);
      if (type != DType::bf16) all.resize(1);  // each costs a search of its own
      for (const Packing& packing : all) expect_right(l, type, to_text(packing), false);
    }
}

TEST_F(ConvSearch, stems_on_the_matrix_unit_give_the_right_numbers) {
  const Use use(Device::cuda());
  if (!hopper::has_stem_kernels()) GTEST_SKIP() << "this GPU is no Hopper";
  for (const Layer& l : {googlenet, i3d, flow}) expect_right(l, DType::bf16, "stem", false);
}

TEST_F(ConvSearch, implicit_products_give_the_right_numbers) {
  const Use use(Device::cuda());
  if (!hopper::has_implicit_kernels()) GTEST_SKIP() << "this GPU is no Hopper";
  Layer slice = middle;
  slice.into = 256, slice.first = 64;
  for (const Layer& l : {middle, slice, grouped})
    for (const bool rows : {false, true})
      expect_right(
          l, DType::bf16,
          [&](const ConvProblem& p) {
            if (p.pass == Pass::weights) return "implicit " + to_text(hopper::implicit_weights_tiles(p).at(rows));
            for (const hopper::ImplicitTile& tile : hopper::implicit_tiles(p))
              if (tile.rows == rows) return "implicit " + to_text(tile);
            return std::string();
          },
          true);
}

// Both as a file names them: nothing is searched.
TEST_F(ConvSearch, a_packed_stem_rests_on_an_implicit_product) {
  const Use use(Device::cuda());
  if (!hopper::has_implicit_kernels()) GTEST_SKIP() << "this GPU is no Hopper";
  std::vector<ConvProblem> all;
  for (const ConvProblem& p : problems(alexnet, DType::bf16))
    if (p.pass != Pass::data) all.insert(all.end(), {p, packed_problem(p, packings(p).at(0))});
  const auto way = [](const ConvProblem& p) {
    if (p.ins == 3) return to_text(packings(p).at(0));
    EXPECT_TRUE(p.pass == Pass::weights ? hopper::is_implicit_weights(p) : hopper::is_implicit(p));
    return "implicit " + (p.pass == Pass::weights ? to_text(hopper::implicit_weights_tiles(p).at(0))
                                                  : to_text(hopper::implicit_tiles(p).at(0)));
  };
  dictate(all, DType::bf16, way);
  std::vector<std::vector<float>> got, want;
  listen_to_ways([](const std::string& problem, const std::string& tried, double) {
    ADD_FAILURE() << "searched: " << tried << " for the " << problem;
  });
  apart([&] { got = passes(alexnet, DType::bf16, Algorithm::library, false); });
  listen_to_ways({});
  apart([&] { want = passes(alexnet, DType::bf16, Algorithm::reference, false); });
  for (std::size_t i = 0; i < got.size(); ++i) EXPECT_LE(distance(got[i], want[i]), limit(DType::bf16)) << i;
}

TEST(EngineName, is_read_as_it_was_written) {
  for (const EngineName& name : {EngineName{47, {{12, 3}, {19, 1}}}, EngineName{0, {}}, EngineName{3, {{5, -1}}}}) {
    const auto read = read_engine_name(to_text(name));
    ASSERT_TRUE(read) << to_text(name);
    EXPECT_EQ(*read, name);
  }
  EXPECT_EQ(to_text(EngineName{47, {{12, 3}, {19, 1}}}), "engine 47, 12=3 19=1");
  for (const char* text : {"", "engine", "engine 4", "engine 4, 3", "engine 4, 3=", "engine 4, 3=1 ", "columns",
                           "engine x, 1=2", "engine 4, 3:1", "engine 4, 3=1 x", "engine 04,"})
    EXPECT_FALSE(read_engine_name(text)) << text;
}

}  // namespace
}  // namespace dactyl
