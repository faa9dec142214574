#include <omp.h>

#include "kernels/flow.h"
#include "tests/check_device.h"
#include "tests/kernels/texture.h"

namespace dactyl {
namespace {

Op flow_with(const Tvl1Options& options = {}) {
  return [options](const std::vector<Tensor>& x) { return flow_tvl1(x[0], x[1], options); };
}

Tvl1Options by_steps(Tvl1Options o) {
  o.algorithm = Algorithm::reference;
  return o;
}

// No stop rule and few iterations: every way of computing must do exactly the same.
Tvl1Options exact(Tvl1Options o, int rounds, int iterations) {
  o.epsilon = 0;
  o.rounds = rounds;
  o.iterations = iterations;
  return o;
}

// Pairs that move differently: their iterations end at different times.
std::vector<Tensor> several(i64 height, i64 width) {
  std::vector<Tensor> from, to;
  for (std::uint32_t n = 0; n < 3; ++n) {
    from.push_back(Texture(n).frame(height, width));
    to.push_back(Texture(n).frame(height, width, 1.5 * n, -0.75 * n));
  }
  return {stacked(from), stacked(to)};
}

}  // namespace

TEST(FlowTvl1, finds_a_translation) {
  on_each_device([] {
    for (const Tvl1Options& options : {Tvl1Options{}, tvl1_cpu()})
      for (const auto& [u, v] : {std::pair(1.0, 0.0), {-2.5, 1.25}, {5.0, -3.0}, {0.25, 0.5}}) {
        const Texture texture(5);
        const Tensor flow = flow_tvl1(texture.frame(90, 120), texture.frame(90, 120, u, v), options);
        ASSERT_EQ(flow.shape(), (Shape{1, 90, 120, 2}));
        const FlowDistance d = flow_distance(flow, 16, [&](i64) { return std::pair(u, v); });
        EXPECT_LT(d.mean, 0.08) << "flow " << u << ", " << v << ", median " << options.median;
      }
  });
}

TEST(FlowTvl1, nothing_moves_in_equal_frames) {
  on_each_device([] {
    const Tensor frame = Texture(1).frame(40, 50);
    for (const Tvl1Options& options : {Tvl1Options{}, tvl1_cpu()})
      EXPECT_TRUE(same_bits(flow_tvl1(frame, frame, options), Tensor::zeros({1, 40, 50, 2})));
  });
}

TEST(FlowTvl1, any_size) {
  on_each_device([] {
    for (const Shape& s : {Shape{1, 1, 1},
                           {1, 1, 40},
                           {2, 40, 1},
                           {1, 2, 3},
                           {1, 16, 16},
                           {1, 17, 33},
                           {1, 7, 300},
                           {1, 90, 21},
                           {1, 3, 1500}})
      for (const Tvl1Options& options : {Tvl1Options{}, tvl1_cpu()}) {
        const Tensor from = random(s, 0, 255).value.to(DType::f32).to(Context::current().device());
        const Tensor to = random(s, 0, 255).value.to(DType::f32).to(Context::current().device());
        const Tensor flow = flow_tvl1(from, to, options);
        for (const float value : flow.floats()) ASSERT_TRUE(std::isfinite(value)) << to_text(s);
        EXPECT_LT(flow_distance(flow, flow_tvl1(from, to, by_steps(options))).mean, 0.05) << to_text(s);
      }
    EXPECT_EQ(flow_tvl1(Tensor({0, 8, 8}), Tensor({0, 8, 8})).shape(), (Shape{0, 8, 8, 2}));
  });
}

// The fast paths and a loop over all pixels per step do the same arithmetic: on the CPU to the bit.
TEST(FlowTvl1, fast_paths_equal_the_reference) {
  on_each_device([] {
    const std::vector<Tensor> x = several(61, 83);
    for (const Tvl1Options& o : {exact({}, 1, 1), exact({}, 1, 21), exact(tvl1_cpu(), 3, 7)}) {
      const Tensor fast = flow_tvl1(x[0], x[1], o), steps = flow_tvl1(x[0], x[1], by_steps(o));
      if (x[0].device().is_cuda())
        EXPECT_LT(flow_distance(fast, steps).mean, 1e-3);
      else
        EXPECT_TRUE(same_bits(fast, steps));
    }
    for (const Tvl1Options& o : {Tvl1Options{}, tvl1_cpu()})
      EXPECT_LT(flow_distance(flow_tvl1(x[0], x[1], o), flow_tvl1(x[0], x[1], by_steps(o))).mean, 0.01);
  });
}

TEST(FlowTvl1, pairs_do_not_influence_each_other) {
  on_each_device([] {
    const std::vector<Tensor> x = several(48, 70);
    for (const Tvl1Options& options : {Tvl1Options{}, tvl1_cpu(), by_steps(exact(tvl1_cpu(), 2, 9))}) {
      const Tensor together = flow_tvl1(x[0], x[1], options);
      for (i64 n = 0; n < 3; ++n)
        EXPECT_TRUE(same_bits(together.rows(n, 1), flow_tvl1(x[0].rows(n, 1), x[1].rows(n, 1), options))) << n;
    }
  });
}

TEST(FlowTvl1, threads_change_no_bit) {
  const std::vector<Tensor> x = several(64, 96);
  const int threads = omp_get_max_threads();
  omp_set_num_threads(1);
  const Tensor alone = flow_tvl1(x[0], x[1]);
  for (const int n : {2, 3}) {
    omp_set_num_threads(n);
    EXPECT_TRUE(same_bits(flow_tvl1(x[0], x[1]), alone)) << n << " threads";
  }
  omp_set_num_threads(threads);
}

TEST(FlowTvl1, repeatable_and_within_its_memory) {
  on_each_device([] {
    const std::vector<Tensor> x = several(45, 66);
    const std::vector<Input> inputs{fixed({x[0]}), fixed({x[1]})};
    for (const Tvl1Options& options : {Tvl1Options{}, tvl1_cpu(), by_steps(exact(tvl1_cpu(), 2, 3))}) {
      const Outcome once = run(flow_with(options), inputs);
      expect_same_bits("the second run", run(flow_with(options), inputs), once);
      check_memory(flow_with(options), inputs, {}, once);
    }
  });
}

TEST(FlowTvl1, gpu_agrees_and_can_be_captured) {
  if (gpu_count() == 0) GTEST_SKIP() << "no GPU here";
  const std::vector<Tensor> x = several(120, 160);
  for (const Tvl1Options& options : {Tvl1Options{}, tvl1_cpu()}) {
    const Tensor want = flow_tvl1(x[0], x[1], options);
    const Use use(Device::cuda());
    const std::vector<Input> inputs{fixed({x[0].to(Device::cuda())}), fixed({x[1].to(Device::cuda())})};
    const Outcome got = run(flow_with(options), inputs);
    const FlowDistance d = flow_distance(got.y.to(Device::cpu()), want);
    EXPECT_LE(d.mean, 0.01);
    EXPECT_GE(d.near, 0.99);
    check_capture(flow_with(options), inputs, {}, got);
  }
}

TEST(FlowTvl1, refuses_nonsense) {
  const Tensor a = Tensor::zeros({1, 4, 4}), b = Tensor::zeros({1, 4, 5});
  expect_error([&] { flow_tvl1(a, b); }, {"(1, 4, 4)", "(1, 4, 5)"});
  expect_error([&] { flow_tvl1(a, a.to(DType::f16)); }, {"f32", "f16"});
  expect_error([&] { flow_tvl1(Tensor::zeros({1, 0, 4}), Tensor::zeros({1, 0, 4})); }, {"(1, 0, 4)"});
  Tvl1Options bad;
  bad.median = 4;
  expect_error([&] { flow_tvl1(a, a, bad); }, {"median 4"});
  bad = {};
  bad.scale_step = 1;
  expect_error([&] { flow_tvl1(a, a, bad); }, {"step 1"});
}

}  // namespace dactyl
