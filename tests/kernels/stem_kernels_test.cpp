// On a Hopper GPU: the stems' kernels against the reference loops.
#include "tests/kernels/stem_cases.h"

namespace dactyl::hopper {
namespace {

// More tiles than there are blocks, so that each goes through several, cut at all borders.
const std::vector<StemCase> large{
    {{3, 20, 90, 100, 3}, {64, 7, 7, 7, 3}, same(7, {2, 2, 2}, {3, 3, 3})},
    {{3, 9, 95, 101, 3}, {64, 7, 7, 7, 3}, same(7, {3, 3, 3}, {3, 3, 3})},
    {{3, 20, 90, 101, 2}, {64, 7, 7, 7, 2}, same(7, {2, 2, 3}, {3, 3, 3})},
    {{40, 96, 96, 3}, {64, 7, 7, 3}, {{7, 7}, {2, 2}, {2, 2}, {3, 3}}},
};

// Runs a pass on memory full of NaN with guard zones, again, and as a replayed graph.
std::vector<double> thrice(const Shape& shape, const std::function<void(const Tensor&)>& pass) {
  const i64 before = Pool::damaged();
  Pool::guard(true);
  Tensor first(shape, DType::bf16), again(shape, DType::bf16);
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
  return numbers(kept);
}

void check_kernels(const StemCase& c, bool epilogue) {
  const WantedStem want(c, epilogue);
  SCOPED_TRACE(to_text(want.forward));
  const auto forward = [&](const Tensor& y) { stem_forward(want.forward, {want.x, want.w, y, want.bias}); };
  expect_close("y", thrice(want.y.shape(), forward), numbers(want.y), tolerance(DType::bf16));
  const auto weights = [&](const Tensor& dw) { stem_weights(want.weights, {want.x, dw, want.dy, {}}); };
  expect_close("dw", thrice(want.w.shape(), weights), numbers(want.dw), tolerance(DType::bf16));
}

void check_all(const std::vector<StemCase>& cases) {
  for (const StemCase& c : cases)
    for (const bool epilogue : {false, true}) check_kernels(c, epilogue);
}

class StemKernels : public ::testing::Test {
 protected:
  void SetUp() override {
    if (gpu_count() == 0) GTEST_SKIP() << "no GPU here";
    use_ = std::make_unique<Use>(Device::cuda());
    if (!has_stem_kernels()) GTEST_SKIP() << "this GPU is no Hopper";
  }
  std::unique_ptr<Use> use_;
};

TEST_F(StemKernels, agree_with_the_loops) { check_all(stem_cases); }
TEST_F(StemKernels, large_ones_agree_with_the_loops) { check_all(large); }

}  // namespace
}  // namespace dactyl::hopper
