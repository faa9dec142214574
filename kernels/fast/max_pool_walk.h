// Max-pooling by 3×3×3 with stride 1. Internal to fast/max_pool.cu.
#pragma once

#include "kernels/fast/sides.h"

namespace dactyl::fast {

// 3×3×3 with stride 1: a thread walks up through `chunk` planes with two rows. Each row's maxima of three serve both
// rows, each plane's maxima of nine three results. Earlier taps win ties at each level, so the first of all 27 wins.
template <class T>
struct WalkForward {
  Tiles tiles;
  Sides<T> at;
  int chunk;
  const T* x;
  T* y;
  std::uint8_t* taps;

  HD void operator()(i64 i) const {
    Spot s;
    if (!tiles.find(i, s)) return;
    const int first = s.d * chunk, end = first + chunk < at.out[0] ? first + chunk : at.out[0];
    Best<T> before[2], pair[2];  // of the last plane; of the last two
    for (int d = first - 2; d < end; ++d) {
      Best<T> now[2];
      plane(s, d + 2 - at.low[0], now);
      for (int r = 0; r < 2; ++r) {
        if (d >= first && 2 * s.h + r < at.out[1]) {
          pair[r].update(now[r], 18);
          at.store(pair[r], at.row_out(s.n, d, 2 * s.h + r, s.w), at.channel(s), y, taps);
        }
        pair[r] = before[r];
        pair[r].update(now[r], 9);
        before[r] = now[r];
      }
    }
  }

  HD void plane(const Spot& s, int d, Best<T> (&now)[2]) const {
    if (!at.within(d, at.in[0])) return;
    Best<T> row[4];
    for (int b = 0; b < 4; ++b)
      for (int c = 0; c < 3; ++c) {
        const int h = 2 * s.h - at.low[1] + b, w = s.w - at.low[2] + c;
        const bool inside = at.within(h, at.in[1]) && at.within(w, at.in[2]);
        const int from = at.row_in(s.n, d, h, w);
        row[b].update(inside ? Best<T>::load(x + at.x_at(from, at.channel(s))) : Best<T>::nothing(), c);
      }
    row[1].update(row[2], 3);  // shared by both
    now[0] = row[0];
    now[0].update(row[1], 3);
    now[1] = row[1];
    now[1].update(row[3], 6);
  }
};

// And its way back: down through the planes of results, since an input's first tap lies in the last window.
template <class T>
struct WalkBackward {
  Tiles tiles;
  Sides<T> at;
  int chunk;
  const T* dy;
  const std::uint8_t* taps;
  T* dx;
  using Sum = float[Pack<T>::size];

  HD void operator()(i64 i) const {
    Spot s;
    if (!tiles.find(i, s)) return;
    const int first = s.d * chunk, end = first + chunk < at.in[0] ? first + chunk : at.in[0];
    Sum sum[3][2] = {};  // of the inputs that a plane of results meets with taps 0, 9 and 18
    for (int d = end - 1; d >= first - 2; --d) {
      plane(s, d + at.low[0], sum);
      for (int r = 0; r < 2; ++r) {
        if (d + 2 < end && 2 * s.h + r < at.in[1])
          store_sums(dx + at.x_at(at.row_in(s.n, d + 2, 2 * s.h + r, s.w), at.channel(s)), sum[2][r]);
        for (int j = 0; j < Pack<T>::size; ++j) {
          sum[2][r][j] = sum[1][r][j];
          sum[1][r][j] = sum[0][r][j];
          sum[0][r][j] = 0;
        }
      }
    }
  }

  HD void plane(const Spot& s, int d, Sum (&sum)[3][2]) const {
    if (!at.within(d, at.out[0])) return;
    for (int b = 0; b < 4; ++b) {  // the lower row's tap b, the upper row's b − 1
      const int h = 2 * s.h + 1 + at.low[1] - b;
      if (!at.within(h, at.out[1])) continue;
      for (int c = 0; c < 3; ++c) {
        const int w = s.w + at.low[2] - c;
        if (!at.within(w, at.out[2])) continue;
        Routed<T> routed;
        at.load(routed, at.row_out(s.n, d, h, w), at.channel(s), dy, taps);
        for (int a = 0; a < 3; ++a) {
          if (b > 0) routed.add_to(sum[a][0], 9 * a + 3 * (b - 1) + c);
          if (b < 3) routed.add_to(sum[a][1], 9 * a + 3 * b + c);
        }
      }
    }
  }
};

}  // namespace dactyl::fast
