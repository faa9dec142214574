// The largest number of each window, 16 bytes of channels per thread. Maxima and taps of narrow types are kept two in a
// word: else comparisons, not memory, would bound 27 taps per result. The bodies are plain C++ and also run on the CPU.
#include "kernels/fast/max_pool.h"

#include "kernels/fast/max_pool_walk.h"
#include "kernels/fast/max_pool_window.h"

namespace dactyl::fast {
namespace {

struct Cube {};  // 3×3×3, stride 1: max_pool_walk.h; on a GPU mostly max_pool_planes.cu instead

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

// One result: all taps of its window.
template <class T, class W>
struct Forward {
  Tiles tiles;
  Windows<T, W> windows;
  const T* x;
  T* y;
  std::uint8_t* taps;

  HD void operator()(i64 i) const {
    Spot s;
    if (!tiles.find(i, s)) return;
    const Sides<T>& at = windows.at;
    const Best<T> best = windows.best(s, x, [](const T* pack) { return Best<T>::load(pack); });
    at.store(best, at.row_out(s.n, s.d, s.h, s.w), at.channel(s), y, taps);
  }
};

// Inputs of one plane that meet the same windows.
template <class T, class W>
struct Backward {
  Tiles tiles;
  Windows<T, W> windows;
  const T* dy;
  const std::uint8_t* taps;
  T* dx;

  HD void operator()(i64 i) const {
    Spot s;
    if (!tiles.find(i, s)) return;
    const Sides<T>& at = windows.at;
    typename Windows<T, W>::Sums sum = {};
    windows.gather(s, dy, taps, sum);
    for (int q = 0; q < W::high; ++q)
      for (int r = 0; r < W::wide; ++r) {
        const int h = windows.input_h(s, q), w = windows.input_w(s, r);
        if (at.within(h, at.in[1]) && at.within(w, at.in[2]))
          store_sums(dx + at.x_at(at.row_in(s.n, s.d, h, w), at.channel(s)), sum[q][r]);
      }
  }
};

// body(Cube, Fixed or Any), whichever fits.
template <class Body>
void with_way(const Geometry& g, const Body& body) {
  if (is(g, {3, 3, 3}, {1, 1, 1})) return body(Cube{});
  with_window(g, body);
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
    each(xs.device(), tiles.threads(), Forward<T, W>{tiles, {at, window}, x, y, taps});
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
    const Windows<T, W> windows{at, window};
    const Tiles tiles = tiles_of(g, g.in[0], windows.groups_h(), windows.groups_w(), packs);
    each(dxs.device(), tiles.threads(), Backward<T, W>{tiles, windows, dy, taps, dx});
  }
}

// A strip of stride 2 takes its rows one after another, where a thread per result loads what it can at once: so few
// results go the other way.
bool enough_for_strips(const Geometry& g) { return g.stride[1] == 1 || g.rows_out() * g.channels >= 2'000'000; }

}  // namespace

bool pools_by_packs(const Geometry& g, const Tensor& x, const Tensor& y) {
  // A box may reach beyond the extents: 2 by depth, 4 by height, 8 by width, 8 packs.
  const i64 most = g.batch * std::max((g.in[0] + 2) * (g.in[1] + 4) * (g.in[2] + 8),
                                      (g.out[0] + 2) * (g.out[1] + 4) * (g.out[2] + 8));
  return x.dtype() != DType::f64 && x.count() > 0 && y.count() > 0 && g.taps() <= 256 && packed(x) && packed(y) &&
         std::max(x.pitch(), y.pitch()) < 1 << 30 && most * (g.channels + 64) < 1ll << 31;
}

// Of the ways of 3×3×3, as measured on an H100 with I3D's layers (README.md). The walk notes taps at less cost
// where there are many results to keep its threads busy.
void max_pool_forward(const Geometry& g, const Tensor& x, const Tensor& y, std::uint8_t* taps) {
  if (enough_for_strips(g) && max_pool_forward_by_strips(g, x, y, taps)) return;
  if ((!taps || g.out[1] * g.out[2] < 100) && max_pool_forward_by_planes(g, x, y, taps)) return;
  with_narrow(x.dtype(), [&]<class T>(T) { with_way(g, [&](auto window) { forward<T>(g, window, x, y, taps); }); });
}

// Scattering has few threads, each with much to do; of f32 it loads twice the bytes, one number per lane.
void max_pool_backward(const Geometry& g, const Tensor& dy, const std::uint8_t* taps, const Tensor& dx) {
  if (max_pool_backward_by_strips(g, dy, taps, dx)) return;
  if (dx.dtype() != DType::f32 && g.batch * g.in[1] * g.in[2] * g.channels > 4'000'000 &&
      max_pool_backward_by_scattering(g, dy, taps, dx))
    return;
  if (max_pool_backward_by_planes(g, dy, taps, dx)) return;
  with_narrow(dy.dtype(), [&]<class T>(T) { with_way(g, [&](auto window) { backward<T>(g, window, dy, taps, dx); }); });
}

}  // namespace dactyl::fast
