// The mean of each window, a pack of channels per thread, with 32-bit numbers for places: divisions of 64-bit ones
// would take longer than the sums. The bodies are plain C++ and also run on the CPU.
#include "kernels/fast/mean_pool.h"

#include "engine/reduce.h"
#include "kernels/fast/max_pool.h"
#include "kernels/fast/sides.h"

namespace dactyl::fast {
namespace {

template <class T>
struct Windows {
  Sides<T> at;
  int kernel[3], stride[3], high[3];

  Windows(const Geometry& g, i64 x_pitch, i64 y_pitch) : at(g, x_pitch, y_pitch) {
    for (int i = 0; i < 3; ++i) {
      kernel[i] = static_cast<int>(g.kernel[i]);
      stride[i] = static_cast<int>(g.stride[i]);
      high[i] = static_cast<int>(g.high[i]);
    }
  }

  HD int begin(int axis, int output) const { return output * stride[axis] - at.low[axis]; }
  HD int first(int axis, int output) const { return begin(axis, output) < 0 ? 0 : begin(axis, output); }
  HD int end(int axis, int output, int limit) const {
    const int end = begin(axis, output) + kernel[axis];
    return end < limit ? end : limit;
  }
  HD int places(int axis, int output) const {  // in the input or its padding
    return end(axis, output, at.in[axis] + high[axis]) - begin(axis, output);
  }
  HD float share(int d, int h, int w) const {
    return static_cast<float>(1.0 / (double(places(0, d)) * places(1, h) * places(2, w)));
  }

  // Of the outputs along an axis whose windows hold an input: the last, and whether one before it does as well.
  HD int last(int axis, int input) const {
    const int o = (input + at.low[axis]) / stride[axis];
    return o < at.out[axis] ? o : at.out[axis] - 1;
  }
  HD bool holds(int axis, int output, int input) const {
    return output >= 0 && input - begin(axis, output) < kernel[axis];
  }
};

template <class T>
struct Forward {
  static constexpr int together = 8;  // loads that wait for memory together, not one after the other
  Tiles tiles;
  Windows<T> window;
  const T* x;
  T* y;

  HD void add(const T* row, int left, float (&sum)[Pack<T>::size]) const {
    Pack<T> in[together];
    for (int k = 0; k < together; ++k)
      if (k < left) in[k] = Pack<T>::load(row + i64{k} * window.at.x_pitch);
    for (int k = 0; k < together; ++k)
      for (int j = 0; k < left && j < Pack<T>::size; ++j) sum[j] += float(in[k].v[j]);
  }

  HD void operator()(i64 i) const {
    Spot s;
    if (!tiles.find(i, s)) return;
    const Sides<T>& at = window.at;
    const int end_d = window.end(0, s.d, at.in[0]), end_h = window.end(1, s.h, at.in[1]),
              end_w = window.end(2, s.w, at.in[2]);
    float sum[Pack<T>::size] = {};
    for (int d = window.first(0, s.d); d < end_d; ++d)
      for (int h = window.first(1, s.h); h < end_h; ++h)
        for (int w = window.first(2, s.w); w < end_w; w += together)
          add(x + at.x_at(at.row_in(s.n, d, h, w), at.channel(s)), end_w - w, sum);
    const float share = window.share(s.d, s.h, s.w);
    for (float& v : sum) v *= share;
    store_sums(y + at.y_at(at.row_out(s.n, s.d, s.h, s.w), at.channel(s)), sum);
  }
};

// An input gathers from its windows in the order of its taps in them, so from the last window to the first.
template <class T>
struct Backward {
  Tiles tiles;
  Windows<T> window;
  const T* dy;
  T* dx;

  HD void operator()(i64 i) const {
    Spot s;
    if (!tiles.find(i, s)) return;
    const Sides<T>& at = window.at;
    float sum[Pack<T>::size] = {};
    for (int d = window.last(0, s.d); window.holds(0, d, s.d); --d)
      for (int h = window.last(1, s.h); window.holds(1, h, s.h); --h)
        for (int w = window.last(2, s.w); window.holds(2, w, s.w); --w) {
          const Pack<T> out = Pack<T>::load(dy + at.y_at(at.row_out(s.n, d, h, w), at.channel(s)));
          const float share = window.share(d, h, w);
          for (int j = 0; j < Pack<T>::size; ++j) sum[j] += share * float(out.v[j]);
        }
    store_sums(dx + at.x_at(at.row_in(s.n, s.d, s.h, s.w), at.channel(s)), sum);
  }
};

template <class T>
Tiles tiles_of(const Geometry& g, const i64 (&extent)[3]) {
  return Tiles(g.batch, extent[0], extent[1], extent[2], g.channels / Pack<T>::size, 0, 2, 3);
}

// A window as large as the input, of so few samples and channels that threads which sum it alone would leave most of a
// GPU without work.
bool is_whole_of_few(const Geometry& g, i64 packs) {
  constexpr i64 few = 4096;
  bool whole = g.batch * packs <= few;
  for (int i = 0; i < 3; ++i) whole = whole && g.kernel[i] == g.in[i] && g.low[i] == 0 && g.high[i] == 0;
  return whole;
}

template <int size>
struct PackSums {
  float of[size];
  HD PackSums& operator+=(const PackSums& o) {
    for (int j = 0; j < size; ++j) of[j] += o.of[j];
    return *this;
  }
};

// A block per sample and pack, whose threads share the places.
template <class T>
void whole(const Geometry& g, const Tensor& xs, const Tensor& ys) {
  constexpr int size = Pack<T>::size;
  const i64 places = g.in[0] * g.in[1] * g.in[2], x_pitch = xs.pitch(), y_pitch = ys.pitch();
  const int packs = static_cast<int>(g.channels / size);
  const T* x = xs.data<T>();
  T* y = ys.data<T>();
  const float share = static_cast<float>(1.0 / static_cast<double>(places));
  fold_rows<PackSums<size>>(
      xs.device(), g.batch * packs, places,
      [=] HD(i64 row, i64 place) {
        const int sample = static_cast<int>(row) / packs, pack = static_cast<int>(row) % packs;
        const Pack<T> in = Pack<T>::load(x + (sample * places + place) * x_pitch + pack * size);
        PackSums<size> sums;
        for (int j = 0; j < size; ++j) sums.of[j] = float(in.v[j]);
        return sums;
      },
      [=] HD(i64 row, PackSums<size> sums) {
        for (float& v : sums.of) v *= share;
        const int sample = static_cast<int>(row) / packs, pack = static_cast<int>(row) % packs;
        store_sums(y + sample * y_pitch + pack * size, sums.of);
      });
}

template <class T>
void forward(const Geometry& g, const Tensor& x, const Tensor& y) {
  if (is_whole_of_few(g, g.channels / Pack<T>::size)) return whole<T>(g, x, y);
  const Tiles tiles = tiles_of<T>(g, g.out);
  each(x.device(), tiles.threads(), Forward<T>{tiles, Windows<T>(g, x.pitch(), y.pitch()), x.data<T>(), y.data<T>()});
}

template <class T>
void backward(const Geometry& g, const Tensor& dy, const Tensor& dx) {
  const Tiles tiles = tiles_of<T>(g, g.in);
  each(dx.device(), tiles.threads(),
       Backward<T>{tiles, Windows<T>(g, dx.pitch(), dy.pitch()), dy.data<T>(), dx.data<T>()});
}

}  // namespace

void mean_pool_forward(const Geometry& g, const Tensor& x, const Tensor& y) {
  with_narrow(x.dtype(), [&]<class T>(T) { forward<T>(g, x, y); });
}

void mean_pool_backward(const Geometry& g, const Tensor& dy, const Tensor& dx) {
  with_narrow(dy.dtype(), [&]<class T>(T) { backward<T>(g, dy, dx); });
}

}  // namespace dactyl::fast
