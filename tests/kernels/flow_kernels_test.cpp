// Every kernel of both flows, briefly: few iterations on small frames of awkward sizes, of one block and of several.
// Under compute-sanitizer these stand for the other tests of flow, which would take many minutes there.
#include "kernels/flow.h"
#include "kernels/flow_farneback.h"
#include "tests/check_device.h"
#include "tests/kernels/texture.h"

namespace dactyl {
namespace {

const std::vector<std::pair<i64, i64>> sizes{{1, 1}, {2, 3}, {17, 33}, {5, 150}, {70, 21}, {66, 90}};

// Two pairs that move differently.
std::vector<Tensor> pairs(i64 height, i64 width) {
  std::vector<Tensor> from, to;
  for (std::uint32_t n = 0; n < 2; ++n) {
    from.push_back(Texture(n).frame(height, width));
    to.push_back(Texture(n).frame(height, width, 0.7 * n, -0.4));
  }
  return {stacked(from), stacked(to)};
}

// The GPU agrees with the CPU, gives the same bits again, on memory full of NaN, and as a replayed graph.
void check_kernels(const Op& flow, double far) {
  const Use use(Device::cuda());
  for (const auto& [height, width] : sizes) {
    if (!asks_the_cpu() && height * width > 2000) continue;  // minutes under a sanitizer
    SCOPED_TRACE(std::to_string(height) + "x" + std::to_string(width));
    const std::vector<Tensor> x = pairs(height, width);
    const std::vector<Input> inputs{fixed({x[0]}), fixed({x[1]})};
    const Outcome got = run(flow, inputs);
    const Tensor want = [&] {
      const Use cpu(Device::cpu());
      return flow({x[0].to(Device::cpu()), x[1].to(Device::cpu())});
    }();
    EXPECT_LE(flow_distance(got.y, want).mean, far);
    if (!asks_the_cpu()) continue;  // a sanitizer has seen all kernels
    check_memory(flow, inputs, {}, got);
    check_capture(flow, inputs, {}, got);
  }
}

// Two iterations for each way of stopping; so far apart no rounding decides.
Tvl1Options brief(Tvl1Options o, Algorithm algorithm) {
  o.algorithm = algorithm;
  o.scales = o.warps = o.rounds = 2;
  o.iterations = 2;
  return o;
}

FarnebackOptions brief(FarnebackOptions o, Algorithm algorithm) {
  o.algorithm = algorithm;
  o.levels = 1;
  o.iterations = 2;
  return o;
}

class FlowKernels : public ::testing::TestWithParam<Algorithm> {
 protected:
  void SetUp() override {
    if (gpu_count() == 0) GTEST_SKIP() << "no GPU here";
  }
  static void check(Tvl1Options o) {
    check_kernels([o = brief(o, GetParam())](const std::vector<Tensor>& x) { return flow_tvl1(x[0], x[1], o); }, 0.01);
  }
  static void check(FarnebackOptions o) {
    check_kernels([o = brief(o, GetParam())](const std::vector<Tensor>& x) { return flow_farneback(x[0], x[1], o); },
                  0.01);
  }
};

// A test each: one that is late under a sanitizer is known by its name.
TEST_P(FlowKernels, of_tvl1) { check(Tvl1Options{}); }
TEST_P(FlowKernels, of_tvl1_without_a_stop) { check(Tvl1Options{.epsilon = 0, .median = 3}); }
TEST_P(FlowKernels, of_tvl1_as_on_a_cpu) { check(tvl1_cpu()); }
TEST_P(FlowKernels, of_farneback) { check(FarnebackOptions{}); }
TEST_P(FlowKernels, of_farneback_in_the_sample) { check(farneback_of_sample()); }
TEST_P(FlowKernels, of_farneback_by_gaussians) { check(FarnebackOptions{.gaussian = true}); }

INSTANTIATE_TEST_SUITE_P(Ways, FlowKernels, ::testing::Values(Algorithm::automatic, Algorithm::reference),
                         [](const auto& way) { return way.param == Algorithm::reference ? "loops" : "fast"; });

}  // namespace

}  // namespace dactyl
