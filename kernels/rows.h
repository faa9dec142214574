// Loops over the rows of channels of host tensors, compiled for several instruction sets. Internal to the kernels.
#pragma once

#include <cstdint>

#include "engine/pack.h"
#include "engine/tensor.h"

namespace dactyl {

// One row of n channels each.
void add_row(float* sum, const float* x, i64 n);                      // sum += x
void add_scaled_row(float* sum, const float* x, float scale, i64 n);  // sum += scale·x
void add_chosen_row(float* sum, const float* x, const std::uint8_t* tap_of, std::uint8_t tap, i64 n);  // where equal
void scale_row(float* y, float scale, i64 n);                                                          // y *= scale
void bias_row(float* y, const float* bias, bool relu, i64 n);  // y += bias (may be null), then max(0, ·)
// y = the largest of the rows x[0 … taps − 1], and the name of the first that has it (0: all are −∞ or NaN).
void max_rows(float* y, const float* const* x, int taps, i64 n);
void max_rows(float* y, std::uint8_t* tap_of, const float* const* x, const std::uint8_t* names, int taps, i64 n);
// c[r][o] += Σ a[r]·b[o] for `rows` (1 to 4) rows of a and 4 of b, n numbers each; rows lie `step` apart.
void dot_rows(const float* a, i64 a_step, int rows, const float* b, i64 b_step, i64 n, float* c, i64 c_step);
float dot_row(const float* a, const float* b, i64 n);  // Σ a·b

// Numbers of either device, dense or pitched, of one shape and type.
void copy_rows(Tensor to, const Tensor& from);
Tensor relu_masked(const Tensor& dy, const Tensor& y);  // dy where y > 0, else 0; dense

// The same of a pack.
template <class T>
HD Pack<T> relu_masked(Pack<T> dy, const Pack<T>& y) {
  for (i64 i = 0; i < Pack<T>::size; ++i)
    if (!(compute_t<T>(y.v[i]) > 0)) dy.v[i] = T(0.0f);
  return dy;
}

}  // namespace dactyl
