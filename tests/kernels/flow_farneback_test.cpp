#include "kernels/flow_farneback.h"

#include <omp.h>

#include "kernels/flow_farneback_steps.h"
#include "tests/check_op.h"

namespace dactyl {
namespace {

// A texture without end; pair n of a batch has other waves.
double grey(double y, double x, i64 n) {
  const double t = static_cast<double>(n);
  return 128 + 30 * std::sin(0.31 * x + 0.12 * y + t) + 25 * std::cos(0.23 * y - 0.17 * x + 2 * t) +
         20 * std::sin(0.45 * y + 0.4 * std::cos(0.2 * x)) + 15 * std::cos(0.6 * x - 0.1 * y);
}

// The texture, looked at from (v, u) further.
Tensor frames(i64 pairs, i64 height, i64 width, double u, double v, DType type = DType::f32) {
  Tensor t({pairs, height, width}, DType::f64, Device::cpu());
  for (i64 i = 0; i < t.count(); ++i)
    t.data<double>()[i] =
        grey(static_cast<double>(i / width % height) + v, static_cast<double>(i % width) + u, i / width / height);
  return t.to(type).to(Context::current().device());
}

FarnebackOptions with(Algorithm algorithm, FarnebackOptions options = {}) {
  options.algorithm = algorithm;
  return options;
}

// The largest distance to (u, v), leaving out a border.
double worst(const Tensor& flow, double u, double v, i64 border) {
  const i64 height = flow.shape()[1], width = flow.shape()[2];
  const std::vector<double> d = numbers(flow);
  double far = 0;
  for (i64 i = 0; i < flow.count() / 2; ++i) {
    const i64 y = i / width % height, x = i % width;
    if (std::min({y, x, height - 1 - y, width - 1 - x}) < border) continue;
    const auto at = static_cast<std::size_t>(2 * i);
    far = std::max(far, std::hypot(d[at] - u, d[at + 1] - v));
  }
  return far;
}

double furthest(const Tensor& a, const Tensor& b) {
  const std::vector<double> p = numbers(a), q = numbers(b);
  double far = 0;
  for (std::size_t i = 0; i < p.size(); ++i)
    far = std::isfinite(p[i]) ? std::max(far, std::abs(p[i] - q[i])) : std::numeric_limits<double>::infinity();
  return far;
}

}  // namespace

TEST(FlowFarneback, translation) {
  on_each_device([] {
    const Tensor to = frames(1, 120, 150, 0, 0);
    for (const auto& [u, v] : {std::pair{0.0, 0.0}, {0.5, -0.25}, {-1.5, 2.0}, {5.0, 3.0}, {-3.5, -2.5}})
      for (const Algorithm a : {Algorithm::automatic, Algorithm::reference})
        for (const FarnebackOptions& o :
             {FarnebackOptions{}, farneback_of_sample(), FarnebackOptions{.gaussian = true}})
          EXPECT_LT(worst(flow_farneback(frames(1, 120, 150, u, v), to, with(a, o)), u, v, 25), 0.08) << u << " " << v;
  });
}

TEST(FlowFarneback, frames_at_rest_do_not_move) {
  on_each_device([] {
    const Tensor x = frames(2, 50, 70, 0, 0);
    EXPECT_LT(worst(flow_farneback(x, x), 0, 0, 12), 1e-3);
    const Tensor flat = Tensor::full({1, 40, 40}, 77);
    EXPECT_LT(worst(flow_farneback(flat, flat), 0, 0, 0), 1e-6);
  });
}

// Every quadratic polynomial is its own expansion, where no border is near.
TEST(FlowFarneback, expands_polynomials_exactly) {
  on_each_device([] {
    const i64 h = 24, w = 40, plane = h * w;
    const std::vector<double> want{0.7, -1.3, 0.02, -0.015, 0.03};  // y, x, y², x², xy about pixel (12, 20)
    std::vector<float> values;
    for (i64 i = 0; i < plane; ++i) {
      const double y = static_cast<double>(i / w) - 12, x = static_cast<double>(i % w) - 20;
      values.push_back(
          static_cast<float>(100 + want[0] * y + want[1] * x + want[2] * y * y + want[3] * x * x + want[4] * x * y));
    }
    const Tensor image = Tensor::from({1, h, w}, values);
    for (const int n : {2, 5, 7})
      for (const bool reference : {false, true}) {
        const Tensor planes({1, 5, h, w}, DType::f32, image.device());
        farneback::expand(image, farneback::fit_for(n, 0.25 * n), planes, reference);
        const std::vector<double> all = numbers(planes);
        std::vector<double> got;
        for (i64 k = 0; k < 5; ++k) got.push_back(all[static_cast<std::size_t>(k * plane + 12 * w + 20)]);
        expect_close("coefficients", got, want, 2e-4);
      }
  });
}

TEST(FlowFarneback, sizes) {
  on_each_device([] {
    for (const auto& [h, w] : {std::pair{1, 1}, {1, 50}, {50, 1}, {2, 3}, {16, 16}, {9, 200}, {33, 65}, {67, 131}})
      for (const FarnebackOptions& o : {FarnebackOptions{}, farneback_of_sample(), FarnebackOptions{.gaussian = true},
                                        FarnebackOptions{.scale = 0.8, .window = 1, .iterations = 2, .poly_n = 1}}) {
        SCOPED_TRACE(std::to_string(h) + "x" + std::to_string(w));
        const Tensor from = frames(1, h, w, 0.7, -0.4), to = frames(1, h, w, 0, 0);
        const Tensor flow = flow_farneback(from, to, o);
        EXPECT_EQ(flow.shape(), (Shape{1, h, w, 2}));
        const double far = furthest(flow, flow_farneback(from, to, with(Algorithm::reference, o)));
        // In a window of one pixel every rounding counts.
        EXPECT_LT(far, o.window == 1 ? std::numeric_limits<double>::infinity() : 2e-3);
      }
  });
}

TEST(FlowFarneback, a_batch_is_its_pairs) {
  on_each_device([] {
    const i64 many = 300;  // more than the CPU takes at a time
    const Tensor from = frames(many, 30, 36, 1, 0.5), to = frames(many, 30, 36, 0, 0);
    const Tensor flow = flow_farneback(from, to, farneback_of_sample());
    for (const i64 i : {i64{0}, i64{7}, many - 1})
      EXPECT_TRUE(same_bits(flow.rows(i, 1), flow_farneback(from.rows(i, 1), to.rows(i, 1), farneback_of_sample())));
  });
}

TEST(FlowFarneback, same_bits_for_any_number_of_threads) {
  const Tensor from = frames(2, 120, 90, 1.5, -2), to = frames(2, 120, 90, 0, 0);
  const int threads = omp_get_max_threads();
  for (const FarnebackOptions& o : {FarnebackOptions{}, FarnebackOptions{.gaussian = true}}) {
    omp_set_num_threads(1);
    const Tensor one = flow_farneback(from, to, o);
    for (const int n : {2, 3}) {
      omp_set_num_threads(n);
      EXPECT_TRUE(same_bits(one, flow_farneback(from, to, o))) << n << " threads";
    }
  }
  omp_set_num_threads(threads);
}

// Nonsense in, numbers out: no address is computed from a NaN.
TEST(FlowFarneback, wild_values_read_nothing_foreign) {
  on_each_device([] {
    const Tensor to = frames(1, 40, 40, 0, 0);
    for (const double wild : {std::numeric_limits<double>::quiet_NaN(), 1e30})
      for (const Algorithm a : {Algorithm::automatic, Algorithm::reference})
        EXPECT_EQ(flow_farneback(Tensor::full({1, 40, 40}, wild), to, with(a)).floats().size(), 3200u);
  });
}

// GPU against CPU, the same bits twice, slices, memory, capture.
TEST(FlowFarneback, everything) {
  const auto op = [](const FarnebackOptions& o) {
    return [o](const std::vector<Tensor>& x) { return flow_farneback(x[0].to(DType::f32), x[1].to(DType::f32), o); };
  };
  const std::vector<Input> inputs{fixed({frames(3, 70, 90, 1.5, -0.75, DType::f64)}),
                                  fixed({frames(3, 70, 90, 0, 0, DType::f64)})};
  for (const Algorithm a : {Algorithm::automatic, Algorithm::reference})
    for (const FarnebackOptions& o : {FarnebackOptions{}, farneback_of_sample(), FarnebackOptions{.gaussian = true}})
      check_op(op(with(a, o)), inputs, {.gradient = false, .slack = 20, .types = {DType::f32}});
}

TEST(FlowFarneback, refuses_nonsense) {
  const Tensor x = Tensor::zeros({2, 8, 9});
  expect_error([&] { flow_farneback(x, Tensor::zeros({2, 9, 8})); }, {"flow_farneback", "(2, 8, 9)", "(2, 9, 8)"});
  expect_error([&] { flow_farneback(Tensor::zeros({8, 9}), Tensor::zeros({8, 9})); }, {"(8, 9)", "(N, H, W)"});
  expect_error([&] { flow_farneback(Tensor::zeros({0, 8, 9}), Tensor::zeros({0, 8, 9})); }, {"(0, 8, 9)"});
  expect_error([&] { flow_farneback(x, x.to(DType::f64)); }, {"f32", "f64"});
  expect_error([&] { flow_farneback(x, x, {.scale = 1}); }, {"scale", "1"});
  expect_error([&] { flow_farneback(x, x, {.levels = -1}); }, {"-1 levels"});
  expect_error([&] { flow_farneback(x, x, {.window = 128}); }, {"window 128"});
  expect_error([&] { flow_farneback(x, x, {.iterations = 0}); }, {"0 iterations"});
  expect_error([&] { flow_farneback(x, x, {.poly_n = 16}); }, {"poly_n 16"});
  expect_error([&] { flow_farneback(x, x, {.poly_sigma = -1}); }, {"poly_sigma", "-1"});
  expect_error([&] { flow_farneback(x, x, {.poly_sigma = 0.01}); }, {"poly_sigma", "narrow"});
}

}  // namespace dactyl
