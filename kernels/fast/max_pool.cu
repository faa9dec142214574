// The largest number of each window, 16 bytes of channels per thread. Maxima and taps of narrow types are kept two in a
// word: else comparisons, not memory, would bound 27 taps per result. The bodies are plain C++ and also run on the CPU.
#include "kernels/fast/max_pool.h"

#include "kernels/fast/max_pool_walk.h"

namespace dactyl::fast {
namespace {

// A window of the nets, known when compiled: loops unroll, divisions become shifts.
template <int k0, int k1, int k2, int s0, int s1, int s2>
struct Fixed {
  static constexpr int shared = s2;  // neighbouring inputs of a row that a thread of the way back takes together
  HD static constexpr int kernel(int i) { return i == 0 ? k0 : i == 1 ? k1 : k2; }
  HD static constexpr int stride(int i) { return i == 0 ? s0 : i == 1 ? s1 : s2; }
};

struct Any {
  int kernels[3], strides[3];
  static constexpr int shared = 1;
  explicit Any(const Geometry& g) {
    for (int i = 0; i < 3; ++i) {
      kernels[i] = static_cast<int>(g.kernel[i]);
      strides[i] = static_cast<int>(g.stride[i]);
    }
  }
  HD int kernel(int i) const { return kernels[i]; }
  HD int stride(int i) const { return strides[i]; }
};

struct Cube {};  // 3×3×3, stride 1: max_pool_walk.h

// The threads of a walk over planes of `extent`. One through all planes reads each once; shorter ones, which read two
// planes more than they write, fill a GPU that has few clips.
struct Walk {
  int chunk;
  Tiles tiles;

  Walk(const Geometry& g, const i64 (&extent)[3], i64 packs)
      : chunk(planes(extent[0], g.batch * ((extent[1] + 1) / 2) * extent[2] * packs)),
        tiles(g.batch, (extent[0] + chunk - 1) / chunk, (extent[1] + 1) / 2, extent[2], packs, 0, 2, 3) {}

 private:
  static int planes(i64 depth, i64 threads_per_plane) {
    i64 chunk = depth;
    while (chunk > 4 && (depth + chunk - 1) / chunk * threads_per_plane < 132 * 1024) chunk = (chunk + 1) / 2;
    return static_cast<int>(chunk);
  }
};

bool is(const Geometry& g, const i64 (&kernel)[3], const i64 (&stride)[3]) {
  return std::equal(kernel, kernel + 3, g.kernel) && std::equal(stride, stride + 3, g.stride);
}

// One result: all taps of its window.
template <class T, class W>
struct Forward {
  Tiles tiles;
  Sides<T> at;
  W window;
  const T* x;
  T* y;
  std::uint8_t* taps;

  HD void operator()(i64 i) const {
    Spot s;
    if (!tiles.find(i, s)) return;
    const int d0 = s.d * window.stride(0) - at.low[0], h0 = s.h * window.stride(1) - at.low[1],
              w0 = s.w * window.stride(2) - at.low[2], channel = at.channel(s);
    Best<T> best;
    for (int a = 0; a < window.kernel(0); ++a)
      for (int b = 0; b < window.kernel(1); ++b)
        for (int c = 0; c < window.kernel(2); ++c) {
          const bool inside = at.within(d0 + a, at.in[0]) && at.within(h0 + b, at.in[1]) && at.within(w0 + c, at.in[2]);
          const int row = at.row_in(s.n, d0 + a, h0 + b, w0 + c);
          best.update(inside ? Best<T>::load(x + at.x_at(row, channel)) : Best<T>::nothing(),
                      (a * window.kernel(1) + b) * window.kernel(2) + c);
        }
    at.store(best, at.row_out(s.n, s.d, s.h, s.w), channel, y, taps);
  }
};

// Inputs of one row that meet the same windows gather from these, in the order of their taps.
template <class T, class W>
struct Backward {
  Tiles tiles;
  Sides<T> at;
  W window;
  const T* dy;
  const std::uint8_t* taps;
  T* dx;

  HD void operator()(i64 i) const {
    Spot s;
    if (!tiles.find(i, s)) return;
    const int channel = at.channel(s), right = (s.w + at.low[2] / W::shared) * W::shared;
    float sum[W::shared][Pack<T>::size] = {};
    for (int a = 0; a < window.kernel(0); ++a) {
      const int d = output(0, s.d + at.low[0] - a);
      if (d < 0) continue;
      for (int b = 0; b < window.kernel(1); ++b) {
        const int h = output(1, s.h + at.low[1] - b);
        if (h < 0) continue;
        for (int c = 0; c < window.kernel(2); c += W::shared) {
          const int w = output(2, right - c);
          if (w < 0) continue;
          Routed<T> routed;
          at.load(routed, at.row_out(s.n, d, h, w), channel, dy, taps);
          for (int r = 0; r < W::shared; ++r)
            if (c + r < window.kernel(2)) routed.add_to(sum[r], (a * window.kernel(1) + b) * window.kernel(2) + c + r);
        }
      }
    }
    for (int r = 0; r < W::shared; ++r) {
      const int w = right + r - at.low[2];
      if (at.within(w, at.in[2])) store_sums(dx + at.x_at(at.row_in(s.n, s.d, s.h, w), channel), sum[r]);
    }
  }

  // The result whose window begins `from` after the padding's first place, or −1.
  HD int output(int axis, int from) const {
    const int stride = window.stride(axis);
    return from < 0 || from % stride || from / stride >= at.out[axis] ? -1 : from / stride;
  }
};

// Boxes of 256 threads: for windows with depth 2×4×4 places of 8 packs, else 1×4×8.
Tiles tiles_of(const Geometry& g, i64 depth, i64 height, i64 width, i64 packs) {
  const int deep = g.kernel[0] > 1;
  return Tiles(g.batch, depth, height, width, packs, deep, 2, 3 - deep);
}

// body(Cube, Fixed or Any), whichever fits.
template <class Body>
void with_window(const Geometry& g, const Body& body) {
  if (is(g, {3, 3, 3}, {1, 1, 1})) return body(Cube{});
  if (is(g, {1, 3, 3}, {1, 2, 2})) return body(Fixed<1, 3, 3, 1, 2, 2>{});
  if (is(g, {1, 3, 3}, {1, 1, 1})) return body(Fixed<1, 3, 3, 1, 1, 1>{});
  if (is(g, {3, 3, 3}, {2, 2, 2})) return body(Fixed<3, 3, 3, 2, 2, 2>{});
  if (is(g, {2, 2, 2}, {2, 2, 2})) return body(Fixed<2, 2, 2, 2, 2, 2>{});
  body(Any(g));
}

template <class T, class W>
void forward(const Geometry& g, W window, const Tensor& xs, const Tensor& ys, std::uint8_t* taps) {
  const Sides<T> at(g, xs.pitch(), ys.pitch());
  const T* x = xs.data<T>();
  T* y = ys.data<T>();
  const i64 packs = g.channels / Pack<T>::size;
  if constexpr (std::is_same_v<W, Cube>) {
    const Walk w(g, g.out, packs);
    each(xs.device(), w.tiles.threads(), WalkForward<T>{w.tiles, at, w.chunk, x, y, taps});
  } else {
    const Tiles tiles = tiles_of(g, g.out[0], g.out[1], g.out[2], packs);
    each(xs.device(), tiles.threads(), Forward<T, W>{tiles, at, window, x, y, taps});
  }
}

template <class T, class W>
void backward(const Geometry& g, W window, const Tensor& dys, const std::uint8_t* taps, const Tensor& dxs) {
  const Sides<T> at(g, dxs.pitch(), dys.pitch());
  const T* dy = dys.data<T>();
  T* dx = dxs.data<T>();
  const i64 packs = g.channels / Pack<T>::size;
  if constexpr (std::is_same_v<W, Cube>) {
    const Walk w(g, g.in, packs);
    each(dxs.device(), w.tiles.threads(), WalkBackward<T>{w.tiles, at, w.chunk, dy, taps, dx});
  } else {
    const i64 groups = (g.in[2] - 1 + g.low[2]) / W::shared - g.low[2] / W::shared + 1;
    const Tiles tiles = tiles_of(g, g.in[0], g.in[1], groups, packs);
    each(dxs.device(), tiles.threads(), Backward<T, W>{tiles, at, window, dy, taps, dx});
  }
}

}  // namespace

bool pools_by_packs(const Geometry& g, const Tensor& x, const Tensor& y) {
  // A box may reach beyond the extents: 2 by depth, 4 by height, 8 by width, 8 packs.
  const i64 most = g.batch * std::max((g.in[0] + 2) * (g.in[1] + 4) * (g.in[2] + 8),
                                      (g.out[0] + 2) * (g.out[1] + 4) * (g.out[2] + 8));
  return x.dtype() != DType::f64 && x.count() > 0 && y.count() > 0 && g.taps() <= 256 && packed(x) && packed(y) &&
         std::max(x.pitch(), y.pitch()) < 1 << 30 && most * (g.channels + 64) < 1ll << 31;
}

void max_pool_forward(const Geometry& g, const Tensor& x, const Tensor& y, std::uint8_t* taps) {
  with_narrow(x.dtype(), [&]<class T>(T) { with_window(g, [&](auto window) { forward<T>(g, window, x, y, taps); }); });
}

void max_pool_backward(const Geometry& g, const Tensor& dy, const std::uint8_t* taps, const Tensor& dx) {
  with_narrow(dy.dtype(),
              [&]<class T>(T) { with_window(g, [&](auto window) { backward<T>(g, window, dy, taps, dx); }); });
}

}  // namespace dactyl::fast
