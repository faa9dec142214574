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
    SCOPED_TRACE(std::to_string(height) + "x" + std::to_string(width));
    const std::vector<Tensor> x = pairs(height, width);
    const std::vector<Input> inputs{fixed({x[0]}), fixed({x[1]})};
    const Outcome got = run(flow, inputs);
    const Tensor want = [&] {
      const Use cpu(Device::cpu());
      return flow({x[0].to(Device::cpu()), x[1].to(Device::cpu())});
    }();
    EXPECT_LE(flow_distance(got.y, want).mean, far);
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

}  // namespace

TEST(FlowKernels, of_tvl1) {
  if (gpu_count() == 0) GTEST_SKIP() << "no GPU here";
  for (const Algorithm a : {Algorithm::automatic, Algorithm::reference})
    for (Tvl1Options o : {Tvl1Options{}, tvl1_cpu(), Tvl1Options{.epsilon = 0, .median = 3}})
      check_kernels([o = brief(o, a)](const std::vector<Tensor>& x) { return flow_tvl1(x[0], x[1], o); }, 0.01);
}

TEST(FlowKernels, of_farneback) {
  if (gpu_count() == 0) GTEST_SKIP() << "no GPU here";
  for (const Algorithm a : {Algorithm::automatic, Algorithm::reference})
    for (FarnebackOptions o : {FarnebackOptions{}, farneback_of_sample(), FarnebackOptions{.gaussian = true}})
      check_kernels([o = brief(o, a)](const std::vector<Tensor>& x) { return flow_farneback(x[0], x[1], o); }, 0.01);
}

}  // namespace dactyl
