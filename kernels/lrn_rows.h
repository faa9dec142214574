// lrn of f32 on the host: one row's channels at a time. Internal to the kernels.
#pragma once

#include <vector>

#include "engine/tensor.h"

namespace dactyl {

class LrnRows {
 public:
  // Of a window of 2·half + 1 channels: s = k + a·Σ x², y = x·s^−beta.
  LrnRows(i64 channels, i64 half, float k, float a, float beta);

  void forward(const float* x, float* y);
  void backward(const float* x, const float* dy, float* dx);

 private:
  i64 channels_, half_;
  float k_, a_, beta_;
  std::vector<float> padded_;  // half zeros before and after the channels
  std::vector<float> scale_, power_;
};

}  // namespace dactyl
