// TV-L1: the second frame at displaced positions, by bicubic interpolation, and the flow's medians. Internal to the
// kernels.
#pragma once

#include "kernels/flow_tvl1_level.h"
#include "kernels/median.h"

namespace dactyl::tvl1 {

// Four numbers that are read and weighed together.
struct alignas(16) Four {
  float at[4];
};

// Taps −1, 0, 1, 2 around a position between 0 and 1: Keys' cubic convolution with slope a at distance 1.
HD inline void cubic_weights(float t, float a, float* w) {
  const float s = t + 1, r = 1 - t;
  w[0] = ((a * s - 5 * a) * s + 8 * a) * s - 4 * a;
  w[1] = ((a + 2) * t - (a + 3)) * t * t + 1;
  w[2] = ((a + 2) * r - (a + 3)) * r * r + 1;
  w[3] = 1 - w[0] - w[1] - w[2];
}

// Where a coordinate reads from: four positions inside 0 … n−1 and their weights.
struct Taps {
  int at[4];
  float weight[4];
  bool outside = false;  // some of them were

  HD Taps(float position, int n, const Weights& w) {
    // Far outside, and NaN, become a position from which nothing inside is seen; an int can hold it.
    position = std::fmax(-4.0f, std::fmin(position, static_cast<float>(n) + 4.0f));
    if (w.subpixel > 0) position = std::rint(position * w.subpixel) / w.subpixel;
    const float base = std::floor(position);
    cubic_weights(position - base, w.cubic, weight);
    for (int k = 0; k < 4; ++k) {
      const int i = static_cast<int>(base) + k - 1;
      at[k] = i < 0 ? 0 : i < n ? i : n - 1;
      if (at[k] != i) outside = true;
      if (w.zero_outside && at[k] != i) weight[k] = 0;
    }
  }
};

HD inline void add(Four& sum, const Four& other) {
  for (int c = 0; c < 4; ++c) sum.at[c] += other.at[c];
}

HD inline Four times(const Four& f, float weight) {
  return {{f.at[0] * weight, f.at[1] * weight, f.at[2] * weight, f.at[3] * weight}};
}

// Each line of taps is added up, then the lines; at the border of zeros all taps are added one by one, as OpenCV does.
HD inline Four bicubic(const Pair& t, const Taps& x, const Taps& y, bool one_by_one) {
  const Four* frame = reinterpret_cast<const Four*>(t.second);
  Four sum{};
  for (int j = 0; j < 4; ++j) {
    const Four* row = frame + i64{y.at[j]} * t.width;
    Four line = times(row[x.at[0]], y.weight[j] * x.weight[0]);
    if (one_by_one) add(sum, line);
    for (int k = 1; k < 4; ++k) add(one_by_one ? sum : line, times(row[x.at[k]], y.weight[j] * x.weight[k]));
    if (!one_by_one) add(sum, line);
  }
  return sum;
}

// Linearises the brightness of the second frame around the present flow.
HD inline void linearise(const Pair& t, const Weights& w, int x, int y) {
  const i64 pixels = i64{t.height} * t.width, i = i64{y} * t.width + x;
  float* s = t.state + i;
  const float a = s[u * pixels], b = s[v * pixels];
  const Taps across(static_cast<float>(x) + a, t.width, w), down(static_cast<float>(y) + b, t.height, w);
  const Four f = bicubic(t, across, down, w.zero_outside && (across.outside || down.outside));
  s[ix * pixels] = f.at[1];
  s[iy * pixels] = f.at[2];
  s[rho * pixels] = f.at[0] - f.at[1] * a - f.at[2] * b - t.first[i];
  s[square * pixels] = f.at[1] * f.at[1] + f.at[2] * f.at[2];
}

template <int Size>
HD inline float median_around(const float* plane, const Pair& t, int x, int y) {
  float window[Size * Size];
  for (int j = 0; j < Size; ++j)
    for (int i = 0; i < Size; ++i) {
      const int down = y + j - Size / 2, right = x + i - Size / 2;
      const int at_y = down < 0 ? 0 : down < t.height ? down : t.height - 1;
      const int at_x = right < 0 ? 0 : right < t.width ? right : t.width - 1;
      window[j * Size + i] = plane[i64{at_y} * t.width + at_x];
    }
  return median<Size * Size>(window);
}

// The median of size × size numbers (3 or 5) around a pixel; the plane's border is continued outwards.
HD inline float median_at(const float* plane, const Pair& t, int x, int y, int size) {
  return size == 3 ? median_around<3>(plane, t, x, y) : median_around<5>(plane, t, x, y);
}

}  // namespace dactyl::tvl1
