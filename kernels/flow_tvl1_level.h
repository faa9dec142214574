// TV-L1: one level of the pyramid for one pair of frames, and what is computed at one of its pixels. All paths of the
// solver, on both devices, use these bodies. Internal to the kernels.
//
// Every sum and product is rounded as it stands here, on both devices (no fused multiply-add), in the order of OpenCV's
// CPU version. Positions rounded to 1/32 px make the flow jump at the slightest change: two programs agree about a
// noisy pair to the last bit or only to some hundredths of a pixel.
#pragma once

#include <cmath>

#include "engine/dtype.h"

namespace dactyl::tvl1 {

// The planes of a pair's state. ix, iy: gradient of the warped second frame; rho: brightness residual at flow 0;
// square: |gradient|²; u, v: the flow; p..: the dual variables of u and v; spare: the median filter's result.
enum Plane { ix, iy, rho, square, u, v, p11, p12, p21, p22, spare_u, spare_v, planes };

struct Weights {
  float limit, theta, step;  // λ·θ, θ, τ/θ
  float cubic, subpixel;
  bool zero_outside, wide_norm;
};

struct Pair {
  int height, width;
  const float* first;   // (H, W)
  const float* second;  // (H, W, 4): brightness, its x and y derivatives, 0
  float* state;         // (planes, H, W)

  HD float* plane(Plane k) const { return state + static_cast<i64>(k) * height * width; }
};

// All pairs of a batch, at one level.
struct Level {
  int height, width;
  float *first, *second, *state;

  HD Pair pair(i64 n) const {
    const i64 pixels = i64{height} * width;
    return {height, width, first + n * pixels, second + 4 * n * pixels, state + planes * n * pixels};
  }
};

// The thresholding step of Zach et al., (TH): how far along the gradient the data term pulls.
HD inline float pull(float residual, float square, float limit) {
  const float edge = limit * square, exact = square > 1.1920929e-7f ? -residual / square : 0.0f;
  return residual < -edge ? limit : residual > edge ? -limit : exact;
}

template <bool wide>
HD inline float norm(float x, float y) {
  if constexpr (wide)
    return static_cast<float>(std::sqrt(double{x} * double{x} + double{y} * double{y}));
  else
    return std::sqrt(x * x + y * y);
}

// p = (p + step·∇) / (1 + step·|∇|) for the two dual variables of u or of v.
template <bool wide>
HD inline void ascend(float& px, float& py, float dx, float dy, float step) {
  const float shrink = 1 + step * norm<wide>(dx, dy);
  px = (px + step * dx) / shrink;
  py = (py + step * dy) / shrink;
}

// The dual variables of a band of rows: they may lie in another memory than the other planes. `above` is the row over
// the band, wherever that lies; each has its own distance from plane to plane.
struct Duals {
  float* own;
  i64 plane;
  const float* above;
  i64 above_plane;
  int top;  // the band's first row

  HD float divergence(int k, int x, int y, int width) const {
    const float* p = own + k * plane + i64{y - top} * width + x;
    const float* q = p + plane;
    const float up = y == 0 ? 0.0f : y > top ? q[-width] : above[(k + 1) * above_plane + x];
    return x > 0 ? (p[0] - p[-1]) + (q[0] - up) : (p[0] + q[0]) - up;
  }
};

HD inline Duals whole(const Pair& t) {
  const i64 pixels = i64{t.height} * t.width;
  return {t.plane(p11), pixels, nullptr, 0, 0};
}

// First half of an iteration: the new flow; gives the squared change.
HD inline float update_flow(const Pair& t, const Duals& p, const Weights& w, int x, int y) {
  const i64 pixels = i64{t.height} * t.width;
  float* s = t.state + i64{y} * t.width + x;
  const float gx = s[ix * pixels], gy = s[iy * pixels], a = s[u * pixels], b = s[v * pixels];
  const float along = pull(s[rho * pixels] + (gx * a + gy * b), s[square * pixels], w.limit);
  const float a_new = (a + along * gx) + w.theta * p.divergence(0, x, y, t.width);
  const float b_new = (b + along * gy) + w.theta * p.divergence(2, x, y, t.width);
  s[u * pixels] = a_new;
  s[v * pixels] = b_new;
  return (a_new - a) * (a_new - a) + (b_new - b) * (b_new - b);
}

// Second half: the dual variables follow the gradient of the new flow, 0 across the lower and right border.
HD inline void update_duals(const Pair& t, const Duals& p, const Weights& w, int x, int y) {
  const i64 pixels = i64{t.height} * t.width;
  const float* s = t.plane(u) + i64{y} * t.width + x;
  const int right = x + 1 < t.width ? 1 : 0, down = y + 1 < t.height ? t.width : 0;
  float* d = p.own + i64{y - p.top} * t.width + x;
  for (int k = 0; k < 2; ++k, s += pixels, d += 2 * p.plane)
    if (w.wide_norm)
      ascend<true>(d[0], d[p.plane], s[right] - s[0], s[down] - s[0], w.step);
    else
      ascend<false>(d[0], d[p.plane], s[right] - s[0], s[down] - s[0], w.step);
}

}  // namespace dactyl::tvl1
