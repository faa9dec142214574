// What a thread does with one pooling window, or with the windows that meet its inputs. Internal to the kernels.
#pragma once

#include "kernels/fast/sides.h"

namespace dactyl::fast {

// A window of the nets, known when compiled: loops unroll, divisions become shifts.
template <int k0, int k1, int k2, int s0, int s1, int s2>
struct Fixed {
  static constexpr int high = s1, wide = s2;  // inputs of a plane that a thread of the way back takes together
  HD static constexpr int kernel(int i) { return i == 0 ? k0 : i == 1 ? k1 : k2; }
  HD static constexpr int stride(int i) { return i == 0 ? s0 : i == 1 ? s1 : s2; }
};

struct Any {
  int kernels[3], strides[3];
  static constexpr int high = 1, wide = 1;
  explicit Any(const Geometry& g) {
    for (int i = 0; i < 3; ++i) {
      kernels[i] = static_cast<int>(g.kernel[i]);
      strides[i] = static_cast<int>(g.stride[i]);
    }
  }
  HD int kernel(int i) const { return kernels[i]; }
  HD int stride(int i) const { return strides[i]; }
};

inline bool is(const Geometry& g, const i64 (&kernel)[3], const i64 (&stride)[3]) {
  return std::equal(kernel, kernel + 3, g.kernel) && std::equal(stride, stride + 3, g.stride);
}

// body(Fixed or Any), whichever fits.
template <class Body>
void with_window(const Geometry& g, const Body& body) {
  if (is(g, {1, 3, 3}, {1, 2, 2})) return body(Fixed<1, 3, 3, 1, 2, 2>{});
  if (is(g, {3, 3, 3}, {2, 2, 2})) return body(Fixed<3, 3, 3, 2, 2, 2>{});
  if (is(g, {2, 2, 2}, {2, 2, 2})) return body(Fixed<2, 2, 2, 2, 2, 2>{});
  body(Any(g));
}

template <class T, class W>
struct Windows {
  Sides<T> at;
  W window;

  // The best of the window that gives the result at s, of what load(address of a pack) makes of x.
  template <class Load>
  HD Best<T> best(const Spot& s, const T* x, const Load& load) const {
    const int d0 = s.d * window.stride(0) - at.low[0], h0 = s.h * window.stride(1) - at.low[1],
              w0 = s.w * window.stride(2) - at.low[2], channel = at.channel(s);
    Best<T> best;
    for (int a = 0; a < window.kernel(0); ++a)
      for (int b = 0; b < window.kernel(1); ++b)
        for (int c = 0; c < window.kernel(2); ++c) {
          const bool inside = at.within(d0 + a, at.in[0]) && at.within(h0 + b, at.in[1]) && at.within(w0 + c, at.in[2]);
          const int row = at.row_in(s.n, d0 + a, h0 + b, w0 + c);
          best.update(inside ? load(x + at.x_at(row, channel)) : Best<T>::nothing(),
                      (a * window.kernel(1) + b) * window.kernel(2) + c);
        }
    return best;
  }

  // Inputs of one plane that meet the same windows: number q down and r across of those for s. Outside of x at its
  // rims.
  HD int input_h(const Spot& s, int q) const { return top(s) + q - at.low[1]; }
  HD int input_w(const Spot& s, int r) const { return left(s) + r - at.low[2]; }
  i64 groups_h() const { return (at.in[1] - 1 + at.low[1]) / W::high - at.low[1] / W::high + 1; }
  i64 groups_w() const { return (at.in[2] - 1 + at.low[2]) / W::wide - at.low[2] / W::wide + 1; }
  using Sums = float[W::high][W::wide][Pack<T>::size];

  // They gather from these windows, each in the order of its taps.
  HD void gather(const Spot& s, const T* dy, const std::uint8_t* taps, Sums& sum) const {
    for (int a = 0; a < window.kernel(0); ++a) {
      const int d = output(0, s.d + at.low[0] - a);
      if (d < 0) continue;
      for (int b = 0; b < window.kernel(1); b += W::high) {
        const int h = output(1, top(s) - b);
        if (h < 0) continue;
        for (int c = 0; c < window.kernel(2); c += W::wide) {
          const int w = output(2, left(s) - c);
          if (w < 0) continue;
          Routed<T> routed;
          at.load(routed, at.row_out(s.n, d, h, w), at.channel(s), dy, taps);
          for (int q = 0; q < W::high; ++q)
            for (int r = 0; r < W::wide; ++r)
              if (b + q < window.kernel(1) && c + r < window.kernel(2))
                routed.add_to(sum[q][r], (a * window.kernel(1) + b + q) * window.kernel(2) + c + r);
        }
      }
    }
  }

  HD int top(const Spot& s) const { return (s.h + at.low[1] / W::high) * W::high; }  // from where the padding begins
  HD int left(const Spot& s) const { return (s.w + at.low[2] / W::wide) * W::wide; }

  // The result whose window begins `from` after the padding's first place, or −1.
  HD int output(int axis, int from) const {
    const int stride = window.stride(axis);
    return from < 0 || from % stride || from / stride >= at.out[axis] ? -1 : from / stride;
  }
};

// Boxes of 256 threads: for windows with depth 2×4×4 places of 8 packs, else 1×4×8.
inline Tiles tiles_of(const Geometry& g, i64 depth, i64 height, i64 width, i64 packs) {
  const int deep = g.kernel[0] > 1;
  return Tiles(g.batch, depth, height, width, packs, deep, 2, 3 - deep);
}

}  // namespace dactyl::fast
