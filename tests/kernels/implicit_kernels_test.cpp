// On a Hopper GPU: implicit products by all tiles against the reference loops.
#include "tests/kernels/implicit_cases.h"

namespace dactyl::hopper {
namespace {

// More tiles than there are blocks, so that each goes through several and the ring many times round.
const std::vector<ImplicitCase> large{
    {{2, 10, 56, 56, 64}, 64, {3, 3, 3}},
    {{3, 5, 28, 28, 112}, 224, {3, 3, 3}, 480, 64},
    {{9, 45, 45, 72}, 96, {3, 3}},
    unpadded({{11, 57, 57, 48}, 96, {3, 3}}),  // AlexNet's stem, packed: filters stay for several tiles
};

// AlexNet's, of one picture and of several.
const std::vector<ImplicitCase> grouped{
    {{1, 27, 27, 96}, 256, {5, 5}, 0, 0, 2},
    {{1, 13, 13, 384}, 384, {3, 3}, 0, 0, 2},
    {{5, 13, 13, 384}, 256, {3, 3}, 320, 32, 2},
};

// Runs a pass on memory full of NaN with guard zones, again, and as a replayed graph.
std::vector<double> thrice(const std::function<Tensor()>& place, const std::function<void(const Tensor&)>& pass) {
  const i64 before = Pool::damaged();
  Pool::guard(true);
  Tensor first = place(), again = place();
  pass(first);
  pass(again);
  const Tensor kept = first.clone();
  Pool::guard(false);
  EXPECT_EQ(Pool::damaged(), before) << "memory behind the end was written";
  EXPECT_TRUE(same_bits(first.dense(), again.dense())) << "other bits at the second time";
  Graph graph([&] { pass(again); });
  for (int i = 0; i < 2; ++i) graph.run();
  EXPECT_TRUE(graph.captured()) << graph.why_eager();
  again.fill(std::nan(""));
  graph.run();
  EXPECT_TRUE(same_bits(kept.dense(), again.dense())) << "other bits from a graph";
  return numbers(kept.dense());
}

void check_tile(const ImplicitCase& c, const WantedImplicit& want, const ImplicitTile& tile) {
  SCOPED_TRACE(to_text(want.forward) + " by " + to_text(tile));
  Tensor wide;
  const auto place = [&] {
    wide = Tensor::full(want.y.shape().with(-1, c.into ? c.into : c.outs), 3, DType::bf16);
    return c.into ? wide.slice(c.first, c.outs) : wide;
  };
  const auto forward = [&](const Tensor& y) { implicit_conv(want.forward, {want.x, want.w, y, want.bias}, tile); };
  expect_close("y", thrice(place, forward), numbers(want.y), tolerance(DType::bf16));
  if (c.into) {
    const Tensor before = wide.slice(0, c.first), behind = wide.slice(c.first + c.outs, c.into - c.first - c.outs);
    for (const Tensor& beside : {before, behind})
      for (const float v : beside.floats()) ASSERT_EQ(v, 3) << "beside a slice";
  }
  if (!is_implicit(want.data)) return;
  ImplicitTile of_data = tile;  // whose sums may have fewer steps than there are parts
  of_data.parts = std::min(tile.parts, ImplicitShape(want.data, tile.rows).least_steps());
  const auto data = [&](const Tensor& dx) { implicit_conv(want.data, {dx, want.w, want.dy, {}}, of_data); };
  expect_close("dx", thrice([&] { return Tensor(want.x.shape(), DType::bf16); }, data), numbers(want.dx),
               tolerance(DType::bf16));
}

class ImplicitKernels : public ::testing::Test {
 protected:
  void SetUp() override {
    if (gpu_count() == 0) GTEST_SKIP() << "no GPU here";
    use_ = std::make_unique<Use>(Device::cuda());
    if (!has_implicit_kernels()) GTEST_SKIP() << "this GPU is no Hopper";
  }
  std::unique_ptr<Use> use_;
};

TEST_F(ImplicitKernels, a_single_tile_agrees_with_the_loops) {
  const ImplicitCase& c = implicit_cases.front();
  check_tile(c, WantedImplicit(c, false), {1, 32, false});
}

TEST_F(ImplicitKernels, a_single_tile_by_rows_agrees_with_the_loops) {
  const ImplicitCase& c = implicit_cases.front();
  check_tile(c, WantedImplicit(c, false), {1, 32, true});
}

TEST_F(ImplicitKernels, a_single_tile_without_padding_agrees_with_the_loops) {
  const ImplicitCase& c = other_paddings.front();
  for (const bool rows : {false, true}) check_tile(c, WantedImplicit(c, true), {1, 96, rows});
}

void check_tiles(const std::vector<ImplicitCase>& cases, bool epilogue, bool rows) {
  for (const ImplicitCase& c : cases) {
    const WantedImplicit want(c, epilogue);
    for (const ImplicitTile& tile : implicit_tiles(want.forward))
      if (tile.rows == rows) check_tile(c, want, tile);
  }
}

TEST_F(ImplicitKernels, all_tiles_agree_with_the_loops) {
  for (const bool epilogue : {false, true}) check_tiles(implicit_cases, epilogue, false);
}
TEST_F(ImplicitKernels, all_tiles_by_rows_agree_with_the_loops) {
  for (const bool epilogue : {false, true}) check_tiles(implicit_cases, epilogue, true);
}
TEST_F(ImplicitKernels, all_tiles_with_other_paddings_agree_with_the_loops) {
  check_tiles(other_paddings, true, false);
}
TEST_F(ImplicitKernels, all_tiles_with_other_paddings_by_rows_agree_with_the_loops) {
  check_tiles(other_paddings, true, true);
}
TEST_F(ImplicitKernels, many_tiles_agree_with_the_loops) { check_tiles(large, true, false); }
TEST_F(ImplicitKernels, many_tiles_by_rows_agree_with_the_loops) { check_tiles(large, true, true); }
TEST_F(ImplicitKernels, groups_agree_with_the_loops) { check_tiles(grouped, true, false); }
TEST_F(ImplicitKernels, groups_by_rows_agree_with_the_loops) { check_tiles(grouped, true, true); }

TEST_F(ImplicitKernels, tiles_that_are_none_are_refused) {
  const WantedImplicit want(implicit_cases.front(), false);
  const ConvTensors tensors{want.x, want.w, Tensor(want.y.shape(), DType::bf16), {}};
  for (const ImplicitTile& tile :
       {ImplicitTile{2, 40, false}, ImplicitTile{3, 64, false}, ImplicitTile{1, 128, false, 2},
        ImplicitTile{2, 32, false, 2}, ImplicitTile{1, 32, false, 9}})
    EXPECT_THROW(implicit_conv(want.forward, tensors, tile), Error) << to_text(tile);
}

}  // namespace
}  // namespace dactyl::hopper
