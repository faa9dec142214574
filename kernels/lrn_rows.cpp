// Every loop runs over neighbouring channels without a condition, so it vectorises.
#include "kernels/lrn_rows.h"

#include <cmath>

#include "kernels/lanes.h"

namespace dactyl {
namespace {

VERSIONS void square_row(float* y, const float* x, i64 n) {
#pragma omp simd
  for (i64 c = 0; c < n; ++c) y[c] = x[c] * x[c];
}

// sums[c] = k + a·Σ padded[c … c + 2·half]; five channels, which all nets have, in one go.
VERSIONS void window_sums(float* sums, const float* padded, i64 half, float k, float a, i64 n) {
  if (half == 2) {
#pragma omp simd
    for (i64 c = 0; c < n; ++c)
      sums[c] = k + a * (padded[c] + padded[c + 1] + padded[c + 2] + padded[c + 3] + padded[c + 4]);
    return;
  }
  for (i64 c = 0; c < n; ++c) sums[c] = 0;
  for (i64 j = 0; j <= 2 * half; ++j)
    for (i64 c = 0; c < n; ++c) sums[c] += padded[c + j];
  for (i64 c = 0; c < n; ++c) sums[c] = k + a * sums[c];
}

// s^−β; roots instead of a power for the usual β.
VERSIONS void powers(float* p, const float* s, float beta, i64 n) {
  if (beta != 0.75f) {
    for (i64 c = 0; c < n; ++c) p[c] = std::pow(s[c], -beta);
    return;
  }
#pragma omp simd
  for (i64 c = 0; c < n; ++c) p[c] = 1 / (std::sqrt(s[c]) * std::sqrt(std::sqrt(s[c])));
}

VERSIONS void multiply_row(float* y, const float* x, const float* p, i64 n) {
#pragma omp simd
  for (i64 c = 0; c < n; ++c) y[c] = x[c] * p[c];
}

VERSIONS void ratios(float* ratio, const float* x, const float* dy, const float* p, const float* s, i64 n) {
#pragma omp simd
  for (i64 c = 0; c < n; ++c) ratio[c] = dy[c] * x[c] * p[c] / s[c];
}

VERSIONS void gradients(float* dx, const float* x, const float* dy, const float* p, const float* sums, float factor,
                        i64 n) {
#pragma omp simd
  for (i64 c = 0; c < n; ++c) dx[c] = dy[c] * p[c] - factor * x[c] * sums[c];
}

VERSIONS void rectify_row(float* y, const float* x, i64 n) {
#pragma omp simd
  for (i64 c = 0; c < n; ++c) y[c] = x[c] <= 0 ? 0 : x[c];  // a NaN stays visible
}

// No gradient where relu let no value through.
VERSIONS void mask_row(float* dx, const float* values, i64 n) {
#pragma omp simd
  for (i64 c = 0; c < n; ++c) dx[c] = values[c] > 0 ? dx[c] : 0;
}

}  // namespace

LrnRows::LrnRows(i64 channels, i64 half, float k, float a, float beta, bool relu)
    : channels_(channels),
      half_(half),
      k_(k),
      a_(a),
      beta_(beta),
      relu_(relu),
      padded_(static_cast<std::size_t>(channels + 2 * half)),
      scale_(static_cast<std::size_t>(channels)),
      power_(static_cast<std::size_t>(channels)),
      values_(static_cast<std::size_t>(relu ? channels : 0)) {}

const float* LrnRows::values(const float* x) {
  if (!relu_) return x;
  rectify_row(values_.data(), x, channels_);
  return values_.data();
}

void LrnRows::fit(const float* x) {
  square_row(padded_.data() + half_, x, channels_);
  window_sums(scale_.data(), padded_.data(), half_, k_, a_, channels_);
  powers(power_.data(), scale_.data(), beta_, channels_);
}

void LrnRows::forward(const float* x, float* y) {
  x = values(x);
  fit(x);
  multiply_row(y, x, power_.data(), channels_);
}

void LrnRows::backward(const float* x, const float* dy, float* dx) {
  x = values(x);
  fit(x);
  ratios(padded_.data() + half_, x, dy, power_.data(), scale_.data(), channels_);
  window_sums(scale_.data(), padded_.data(), half_, 0, 1, channels_);
  gradients(dx, x, dy, power_.data(), scale_.data(), 2 * beta_ * a_, channels_);
  if (relu_) mask_row(dx, x, channels_);
}

}  // namespace dactyl
