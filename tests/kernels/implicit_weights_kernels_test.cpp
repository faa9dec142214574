// On a Hopper GPU: weights' gradients as implicit products by all tiles against the reference loops.
#include "kernels/hopper/implicit_weights.h"
#include "tests/kernels/implicit_cases.h"

namespace dactyl::hopper {
namespace {

// More runs than the ring has stages: I3D's, GoogLeNet's and AlexNet's layers, of small batches; a slice.
const std::vector<ImplicitCase> large{
    {{2, 10, 28, 28, 64}, 192, {3, 3, 3}},
    {{3, 5, 14, 14, 112}, 224, {3, 3, 3}, 480, 64},
    {{9, 45, 45, 72}, 96, {3, 3}},
    {{16, 28, 28, 96}, 128, {3, 3}, 256, 64},
    {{16, 14, 14, 160}, 320, {3, 3}},
    {{16, 7, 7, 192}, 384, {3, 3}},
    {{16, 14, 14, 48}, 128, {5, 5}},
    {{16, 27, 27, 96}, 256, {5, 5}, 0, 0, 2},
    {{16, 13, 13, 384}, 384, {3, 3}, 0, 0, 2},
    {{16, 13, 13, 384}, 256, {3, 3}, 320, 32, 2},
    {{4, 9, 11, 7, 96}, 136, {3, 3, 1}},
    unpadded({{16, 57, 57, 48}, 96, {3, 3}}),  // AlexNet's stem, packed
};

// Runs the pass on memory full of NaN with guard zones, again, and as a replayed graph.
void check_tile(const WantedImplicit& want, const WeightsTile& tile) {
  SCOPED_TRACE(to_text(want.weights) + " by " + to_text(tile));
  const i64 before = Pool::damaged();
  Pool::guard(true);
  Tensor first(want.w.shape(), DType::bf16), again(want.w.shape(), DType::bf16);
  const auto pass = [&](const Tensor& dw) { implicit_weights(want.weights, {want.x, dw, want.dy, {}}, tile); };
  pass(first);
  pass(again);
  const Tensor kept = first.clone();
  Pool::guard(false);
  EXPECT_EQ(Pool::damaged(), before) << "memory behind the end was written";
  EXPECT_TRUE(same_bits(first, again)) << "other bits at the second time";
  Graph graph([&] { pass(again); });
  for (int i = 0; i < 2; ++i) graph.run();
  EXPECT_TRUE(graph.captured()) << graph.why_eager();
  again.fill(std::nan(""));
  graph.run();
  EXPECT_TRUE(same_bits(kept, again)) << "other bits from a graph";
  expect_close("dw", numbers(kept), numbers(want.dw), tolerance(DType::bf16));
}

class ImplicitWeightsKernels : public ::testing::Test {
 protected:
  void SetUp() override {
    if (gpu_count() == 0) GTEST_SKIP() << "no GPU here";
    use_ = std::make_unique<Use>(Device::cuda());
    if (!has_implicit_kernels()) GTEST_SKIP() << "this GPU is no Hopper";
  }
  std::unique_ptr<Use> use_;
};

TEST_F(ImplicitWeightsKernels, a_single_tile_agrees_with_the_loops) {
  check_tile(WantedImplicit(implicit_cases.front(), false), {1, 64, 1});
}

TEST_F(ImplicitWeightsKernels, a_single_tile_in_parts_agrees_with_the_loops) {
  check_tile(WantedImplicit(implicit_cases[2], false), {3, 64, 2});
}

TEST_F(ImplicitWeightsKernels, a_single_tile_without_padding_agrees_with_the_loops) {
  check_tile(WantedImplicit(other_paddings.front(), false), {2, 48, 1});
}

// All tiles, in as many parts as the choice says; or in one, and in some that are not even.
void check_tiles(const std::vector<ImplicitCase>& cases, bool as_chosen) {
  for (const ImplicitCase& c : cases) {
    const WantedImplicit want(c, false);
    if (!is_implicit_weights(want.weights)) continue;  // an even window
    for (WeightsTile tile : implicit_weights_tiles(want.weights)) {
      if (as_chosen) {
        check_tile(want, tile);
        continue;
      }
      const int runs = WeightsGrid(weights_shape(want.weights), tile).runs;
      for (const int parts : {1, std::min(3, runs)}) {
        tile.parts = parts;
        check_tile(want, tile);
      }
    }
  }
}

TEST_F(ImplicitWeightsKernels, all_tiles_agree_with_the_loops) { check_tiles(implicit_cases, false); }
TEST_F(ImplicitWeightsKernels, all_tiles_in_parts_agree_with_the_loops) { check_tiles(implicit_cases, true); }
TEST_F(ImplicitWeightsKernels, all_tiles_with_other_paddings_agree_with_the_loops) {
  for (const bool as_chosen : {false, true}) check_tiles(other_paddings, as_chosen);
}
TEST_F(ImplicitWeightsKernels, many_runs_agree_with_the_loops) { check_tiles(large, true); }

TEST_F(ImplicitWeightsKernels, tiles_that_are_none_are_refused) {
  const WantedImplicit want(implicit_cases.front(), false);
  const ConvTensors tensors{want.x, Tensor(want.w.shape(), DType::bf16), want.dy, {}};
  for (const WeightsTile& tile :
       {WeightsTile{2, 40}, WeightsTile{4, 64}, WeightsTile{3, 128}, WeightsTile{1, 64, 1000}})
    EXPECT_THROW(implicit_weights(want.weights, tensors, tile), Error) << to_text(tile);
}

}  // namespace
}  // namespace dactyl::hopper
