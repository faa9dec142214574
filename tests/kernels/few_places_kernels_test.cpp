// On a Hopper GPU: products of few places by all tiles against the reference loops.
#include "tests/kernels/few_places_cases.h"

namespace dactyl::hopper {
namespace {

class FewPlacesKernels : public ::testing::Test {
 protected:
  void SetUp() override {
    if (gpu_count() == 0) GTEST_SKIP() << "no GPU here";
    use_ = std::make_unique<Use>(Device::cuda());
    if (!has_implicit_kernels()) GTEST_SKIP() << "this GPU is no Hopper";
  }
  std::unique_ptr<Use> use_;
};

// On memory full of NaN with guard zones, again, and as a replayed graph.
void check_tile(const FewPlacesCase& c, const WantedFewPlaces& want, const FewPlacesTile& tile) {
  SCOPED_TRACE(to_text(want.problem) + " by " + to_text(tile));
  const i64 before = Pool::damaged();
  Pool::guard(true);
  const Tensor first = want.placed(c), again = want.placed(c);
  const auto pass = [&](const Tensor& y) { few_places(want.problem, {want.x, want.w, y, want.bias}, tile); };
  pass(first);
  pass(again);
  Pool::guard(false);
  EXPECT_EQ(Pool::damaged(), before) << "memory behind the end was written";
  expect_close("y", numbers(first.dense()), numbers(want.y), tolerance(DType::bf16));
  EXPECT_TRUE(same_bits(first.dense(), again.dense())) << "other bits at the second time";
  Graph graph([&] { pass(again); });
  for (int i = 0; i < 3; ++i) graph.run();
  EXPECT_TRUE(graph.captured()) << graph.why_eager();
  EXPECT_TRUE(same_bits(first.dense(), again.dense())) << "other bits from a graph";
}

void check_case(const FewPlacesCase& c) {
  for (const bool epilogue : {false, true}) {
    const WantedFewPlaces want(c, epilogue);
    for (const FewPlacesTile& tile : few_places_tiles(want.problem)) check_tile(c, want, tile);
  }
}

TEST_F(FewPlacesKernels, a_single_picture_agrees_with_the_loops) { check_case(few_places_cases.front()); }

TEST_F(FewPlacesKernels, all_tiles_agree_with_the_loops) {
  for (const FewPlacesCase& c : few_places_cases) check_case(c);
}

TEST_F(FewPlacesKernels, beside_a_slice_nothing_is_written) {
  const FewPlacesCase& c = few_places_cases[1];
  const WantedFewPlaces want(c, true);
  Tensor wide = Tensor::full(want.y.shape().with(-1, c.into), 3, DType::bf16);
  few_places(want.problem, {want.x, want.w, wide.slice(c.first, c.outs), want.bias}, {32, 5});
  for (const float v : wide.slice(0, c.first).floats()) ASSERT_EQ(v, 3);
  for (const float v : wide.slice(c.first + c.outs, c.into - c.first - c.outs).floats()) ASSERT_EQ(v, 3);
}

TEST_F(FewPlacesKernels, tiles_that_are_none_are_refused) {
  const FewPlacesCase& c = few_places_cases.back();  // of one step
  const WantedFewPlaces want(c, false);
  for (const FewPlacesTile& tile : {FewPlacesTile{48, 1}, FewPlacesTile{32, 0}, FewPlacesTile{32, 2}})
    EXPECT_THROW(few_places(want.problem, {want.x, want.w, want.placed(c), {}}, tile), Error) << to_text(tile);
}

}  // namespace
}  // namespace dactyl::hopper
