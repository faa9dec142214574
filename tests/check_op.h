// Asks everything of an operation: gradient, types, devices, repeatability, memory, capture.
#pragma once

#include <cstdlib>
#include <numeric>

#include "tests/check_device.h"

namespace dactyl {

// Fourth-order central differences of Σ dy·y against the gradient, in f64 on the CPU.
inline void check_gradient(const Op& op, const std::vector<Input>& inputs, const Tensor& dy) {
  const std::vector<Tensor> dx = run(op, inputs, dy).dx;
  const std::vector<double> weights = numbers(dy);
  std::size_t next = 0;
  for (const Input& in : inputs) {
    if (!in.watched) continue;
    double* x = in.value.data<double>();
    const i64 n = in.value.count(), stride = std::max<i64>(1, n / 400);
    const auto at = [&](i64 i, double step) {
      const double kept = x[i];
      x[i] = kept + step;
      const std::vector<double> y = numbers(run(op, inputs).y);
      x[i] = kept;
      return std::inner_product(y.begin(), y.end(), weights.begin(), 0.0);
    };
    const std::vector<double> gradient = numbers(dx[next]);
    std::vector<double> got, want;
    for (i64 i = 0; i < n; i += stride) {
      const double h = 1e-4;
      want.push_back((8 * (at(i, h) - at(i, -h)) - (at(i, 2 * h) - at(i, -2 * h))) / (12 * h));
      got.push_back(gradient[static_cast<std::size_t>(i)]);
    }
    expect_close("gradient of input " + std::to_string(&in - inputs.data()), got, want, 1e-7);
    ++next;
  }
}

// All of it. Values themselves are for the test that knows them.
inline void check_op(const Op& op, const std::vector<Input>& inputs, const CheckOptions& options = {}) {
  const Tensor y = run(op, inputs).y;
  const Tensor dy = options.gradient ? random(y.shape()).value : Tensor();
  if (asks_the_cpu()) {
    if (options.gradient) check_gradient(op, inputs, dy);
    check_device(op, inputs, dy, Device::cpu(), options);
  }
  if (gpu_count() > 0)
    check_device(op, inputs, dy, Device::cuda(), options);
  else
    std::printf("[   GPU    ] no GPU here: the GPU half of this check is skipped\n");
}

// A fused operation equals the composition it replaces, in value and gradients.
inline void check_same(const Op& fused, const Op& plain, const std::vector<Input>& inputs) {
  const Tensor dy = random(run(plain, inputs).y.shape()).value;
  const std::vector<Tensor> a = run(fused, inputs, dy).all(), b = run(plain, inputs, dy).all();
  for (std::size_t i = 0; i < a.size(); ++i)
    expect_close(i ? "gradient " + std::to_string(i) : "value", numbers(a[i]), numbers(b[i]), tolerance(DType::f64));
}

}  // namespace dactyl
