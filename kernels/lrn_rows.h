// lrn of f32 on the host: one row's channels at a time. Internal to the kernels.
#pragma once

#include <vector>

#include "engine/tensor.h"

namespace dactyl {

class LrnRows {
 public:
  // Of a window of 2·half + 1 channels: s = k + a·Σ x², y = x·s^−beta. relu: x is max(0, x).
  LrnRows(i64 channels, i64 half, float k, float a, float beta, bool relu);

  void forward(const float* x, float* y);
  void backward(const float* x, const float* dy, float* dx);

 private:
  const float* values(const float* x);  // x, or its copy after relu
  void fit(const float* x);             // the scales and their powers

  i64 channels_, half_;
  float k_, a_, beta_;
  bool relu_;
  std::vector<float> padded_;  // half zeros before and after the channels
  std::vector<float> scale_, power_, values_;
};

}  // namespace dactyl
