// The formulas of Farnebäck's flow for one pixel, on either device. Internal to the kernels.
#pragma once

#include "engine/dtype.h"

namespace dactyl::farneback {

// A quadratic polynomial without its constant: the coefficients of y, x, y², x², xy, each in a plane of its own.
inline constexpr int coefficients = 5;

// Where number i of a resized line lies in the old one: between `low` and `low + 1`, the latter's share being `part`.
// Pixels are areas: their centres lie at ½, 1½, … At the ends the outermost number holds.
struct Place {
  i64 low;
  float part;
};
HD inline Place place(i64 i, i64 old_size, double ratio) {
  const auto at = static_cast<float>((static_cast<double>(i) + 0.5) * ratio - 0.5);
  const float low = std::floor(at);
  if (low < 0) return {0, 0.0f};
  if (low >= static_cast<float>(old_size - 1)) return {old_size - 1, 0.0f};
  return {static_cast<i64>(low), at - low};
}

// Mirrors a position about the outermost numbers: … 2 1 0 1 2 …
HD inline i64 mirrored(i64 i, i64 n) {
  if (n == 1) return 0;
  while (i < 0 || i >= n) i = i < 0 ? -i : 2 * n - 2 - i;
  return i;
}
HD inline i64 clamped(i64 i, i64 n) { return i < 0 ? 0 : i < n ? i : n - 1; }

// A symmetric line of 2·radius + 1 weights; at[j] weighs the numbers j steps away.
template <int Most>
struct Taps {
  int radius = 0;
  float at[Most + 1] = {};
  HD float weight(i64 step) const {
    const i64 j = step < 0 ? -step : step;
    return j > radius ? 0.0f : at[j];
  }
};
using Smoothing = Taps<511>;  // before a level is shrunk

// How a window's numbers are summed. Equal weights are 1 and counted by `scale`, as if the window had exactly
// window² pixels: even windows have more.
struct WindowSum : Taps<63> {
  bool equal = true;
  double scale = 1;
};

// Weighted least squares with the basis 1, x, y, x², y², xy: the weights times 1, x, x², and the four entries of the
// inverse of the moments that the coefficients need. Section 3 of the paper; separable, since the weights are.
struct Fit {
  int n = 0;
  float g[16] = {}, xg[16] = {}, xxg[16] = {};
  double linear = 0, constant_square = 0, square = 0, mixed = 0;
};

// The six sums of a pixel's neighbourhood, weighted by 1, y, x, y², x², xy.
struct Moments {
  double one = 0, y = 0, x = 0, yy = 0, xx = 0, xy = 0;
};
HD inline void coefficients_of(const Fit& fit, const Moments& sum, float* c) {
  c[0] = static_cast<float>(sum.y * fit.linear);
  c[1] = static_cast<float>(sum.x * fit.linear);
  c[2] = static_cast<float>(sum.one * fit.constant_square + sum.yy * fit.square);
  c[3] = static_cast<float>(sum.one * fit.constant_square + sum.xx * fit.square);
  c[4] = static_cast<float>(sum.xy * fit.mixed);
}

// The second frame's polynomial where the flow leads from pixel (y, x), bilinear between four pixels. Outside of the
// frame: no slope, and the first frame's curvature. `plane` is the distance between two coefficients.
HD inline void moved_polynomial(const float* first, const float* second, i64 plane, i64 height, i64 width, i64 y, i64 x,
                                float u, float v, float* c) {
  const float at_x = static_cast<float>(x) + u, at_y = static_cast<float>(y) + v;
  // A comparison that NaN fails. The last row and column count as outside.
  if (!(at_x >= 0 && at_x < static_cast<float>(width - 1) && at_y >= 0 && at_y < static_cast<float>(height - 1))) {
    c[0] = c[1] = 0;
    for (int k = 2; k < coefficients; ++k) c[k] = first[k * plane + y * width + x];
    return;
  }
  const int left = static_cast<int>(at_x), top = static_cast<int>(at_y);
  const float fx = at_x - static_cast<float>(left), fy = at_y - static_cast<float>(top);
  const float w00 = (1 - fx) * (1 - fy), w01 = fx * (1 - fy), w10 = (1 - fx) * fy, w11 = fx * fy;
  const float* p = second + top * width + left;
  for (int k = 0; k < coefficients; ++k, p += plane)
    c[k] = w00 * p[0] + w01 * p[1] + w10 * p[width] + w11 * p[width + 1];
}

// Near the border polynomials are fitted to repeated pixels and count less.
HD inline float trust(i64 from_border) { return from_border < 2 ? 0.14f : from_border < 5 ? 0.4472f : 1.0f; }
HD inline float trust(i64 i, i64 n) { return trust(i) * trust(n - 1 - i); }

// One pixel's share of the normal equations: with A the mean curvature of both polynomials and Δb = −½(b₂ − b₁) + A·d
// for the flow d so far, AᵀA as its entries yy, yx, xx, and AᵀΔb as y, x. Section 4 of the paper, equations 11 to 17.
// F is float or several of them.
template <class F>
HD inline void normal_equations(const F* first, const F* second, const F& u, const F& v, const F& weight, F* m) {
  const F yy = (first[2] + second[2]) * 0.5f * weight, xx = (first[3] + second[3]) * 0.5f * weight;
  const F xy = (first[4] + second[4]) * 0.25f * weight;
  const F by = (first[0] - second[0]) * 0.5f * weight + yy * v + xy * u;
  const F bx = (first[1] - second[1]) * 0.5f * weight + xy * v + xx * u;
  m[0] = yy * yy + xy * xy;
  m[1] = (yy + xx) * xy;
  m[2] = xx * xx + xy * xy;
  m[3] = yy * by + xy * bx;
  m[4] = xy * by + xx * bx;
}

// The flow from the window's sums; the small number keeps it finite where nothing is to be seen. D is double or several
// of them: the determinant of an edge is a small difference of large products.
template <class D>
HD inline void solve(const D& yy, const D& yx, const D& xx, const D& y, const D& x, D& u, D& v) {
  const D inverse = 1.0 / (yy * xx - yx * yx + 1e-3);
  u = (yy * x - yx * y) * inverse;
  v = (xx * y - yx * x) * inverse;
}

}  // namespace dactyl::farneback
