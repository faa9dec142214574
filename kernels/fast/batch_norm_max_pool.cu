// The normalisation of a channel rises throughout, or falls where its scale is negative. So the largest of a window is
// what becomes of the largest x, or of the smallest, and one number per window is normalised. The bodies are plain C++
// and also run on the CPU.
#include "kernels/fast/batch_norm_max_pool.h"

#include <limits>

#include "kernels/fast/column.h"
#include "kernels/fast/max_pool_window.h"

namespace dactyl::fast {
namespace {

// Signs that turn the smallest into the largest where a channel's scale is negative.
template <class T>
HD Pack<Word> flips(const Column<Pack<T>::size>& scale) {
  Pack<Word> signs = {};
  for (int i = 0; i < Pack<T>::size; ++i) {
    const Word negative = scale.v[i] < 0;
    if constexpr (Best<T>::wide)
      signs.v[i] = negative << 31;
    else
      signs.v[i / 2] |= negative << (i % 2 ? 31 : 15);
  }
  return signs;
}

HD Pack<Word> flipped(Pack<Word> x, const Pack<Word>& signs) {
  for (int i = 0; i < 4; ++i) x.v[i] ^= signs.v[i];
  return x;
}

template <class T, class W>
struct Forward {
  Tiles tiles;
  Windows<T, W> windows;
  const T* x;
  NormCoefficients<float> k;
  bool relu;
  T *y, *chosen;
  std::uint8_t* taps;

  HD void operator()(i64 i) const {
    Spot s;
    if (!tiles.find(i, s)) return;
    const Sides<T>& at = windows.at;
    const int channel = at.channel(s), row = at.row_out(s.n, s.d, s.h, s.w);
    const Column<Pack<T>::size> scale(k.scale + channel);
    const Pack<Word> signs = flips<T>(scale);
    Best<T> best = windows.best(s, x, [&](const T* pack) { return flipped(Best<T>::load(pack), signs); });
    const Pack<Word> found = {{best.value[0], best.value[1], best.value[2], best.value[3]}};
    const auto high = std::bit_cast<Pack<T>>(found), in = std::bit_cast<Pack<T>>(flipped(found, signs));
    normalise(best, high, in, scale, channel);
    at.store(best, row, channel, y, taps);
    if (chosen) in.store(chosen + at.dense_at(row, channel));
  }

  // Where nothing was found, since all are NaN, −∞ stays, as max_pool has it.
  HD void normalise(Best<T>& best, const Pack<T>& high, const Pack<T>& in, const Column<Pack<T>::size>& scale,
                    int channel) const {
    const Column<Pack<T>::size> mean(k.mean + channel), shift(k.shift + channel);
    Pack<T> out;
    for (int i = 0; i < Pack<T>::size; ++i) {
      const float z = (float(in.v[i]) - mean.v[i]) * scale.v[i] + shift.v[i];
      const bool found = float(high.v[i]) > -std::numeric_limits<float>::infinity(), stopped = relu && !(z > 0);
      out.v[i] = found ? T(relu && z < 0 ? 0.0f : z) : high.v[i];
      best.tap[Best<T>::wide ? i : i / 2] |=
          stopped ? static_cast<Word>(no_tap) << (Best<T>::wide ? 0 : i % 2 * 16) : 0;
    }
    const auto words = std::bit_cast<Pack<Word>>(out);
    for (int i = 0; i < 4; ++i) best.value[i] = words.v[i];
  }
};

// dx = scale·g − (level + (x − mean)·slope), four numbers per channel.
struct Line {
  const float *mean, *scale, *level, *slope;
};

template <class T, class W>
struct Backward {
  Tiles tiles;
  Windows<T, W> windows;
  const T *x, *dy;
  const std::uint8_t* taps;
  Line line;
  T* dx;

  // x is asked for first: it comes from far, while dy and taps are read by neighbours as well.
  HD void operator()(i64 thread) const {
    Spot s;
    if (!tiles.find(thread, s)) return;
    const Sides<T>& at = windows.at;
    const int channel = at.channel(s);
    constexpr int count = W::high * W::wide;
    Pack<Word> in[count];
    for (int i = 0; i < count; ++i) in[i] = Best<T>::load(x + at.x_at(row(s, i), channel));
    typename Windows<T, W>::Sums g = {};
    windows.gather(s, dy, taps, g);
    const Column<Pack<T>::size> mean(line.mean + channel), scale(line.scale + channel), level(line.level + channel),
        slope(line.slope + channel);
    for (int i = 0; i < count; ++i) {
      auto pack = std::bit_cast<Pack<T>>(in[i]);
      for (int j = 0; j < Pack<T>::size; ++j) {
        const float shared = level.v[j] + (float(pack.v[j]) - mean.v[j]) * slope.v[j];
        pack.v[j] = T(scale.v[j] * g[i / W::wide][i % W::wide][j] - shared);
      }
      in[i] = std::bit_cast<Pack<Word>>(pack);
    }
    for (int i = 0; i < count; ++i)
      if (inside(s, i)) write(dx + at.dense_at(row(s, i), channel), in[i]);
  }

  HD bool inside(const Spot& s, int i) const {
    const Sides<T>& at = windows.at;
    return at.within(windows.input_h(s, i / W::wide), at.in[1]) && at.within(windows.input_w(s, i % W::wide), at.in[2]);
  }
  // Of input i; beyond a rim the row at the rim, which may be read as well.
  HD int row(const Spot& s, int i) const {
    const Sides<T>& at = windows.at;
    const int h = windows.input_h(s, i / W::wide), w = windows.input_w(s, i % W::wide);
    return at.row_in(s.n, s.d, nearest(h, at.in[1]), nearest(w, at.in[2]));
  }
  HD static int nearest(int i, int extent) { return i < 0 ? 0 : i < extent ? i : extent - 1; }
};

template <class T, class W>
void forward(const NormArguments& a, const Geometry& g, W window, const Tensor& y, const Tensor& chosen,
             const Tensor& taps) {
  const Tiles tiles = tiles_of(g, g.out[0], g.out[1], g.out[2], g.channels / Pack<T>::size);
  const Sides<T> at(g, a.x.pitch(), y.pitch());
  each(a.x.device(), tiles.threads(),
       Forward<T, W>{tiles,
                     {at, window},
                     a.x.data<T>(),
                     NormCoefficients<float>(a.fit),
                     a.options.relu,
                     y.data<T>(),
                     data_or_null<T>(chosen),
                     data_or_null<std::uint8_t>(taps)});
}

template <class T, class W>
void backward(const NormArguments& a, const Geometry& g, W window, const Tensor& dy, const Tensor& taps,
              const Line& line, const Tensor& dx) {
  const Windows<T, W> windows{Sides<T>(g, a.x.pitch(), dy.pitch()), window};
  const Tiles tiles = tiles_of(g, g.in[0], windows.groups_h(), windows.groups_w(), g.channels / Pack<T>::size);
  each(a.x.device(), tiles.threads(),
       Backward<T, W>{tiles, windows, a.x.data<T>(), dy.data<T>(), taps.data<std::uint8_t>(), line, dx.data<T>()});
}

// What all elements of a channel share, from the sums: (2, C), levels and slopes.
struct Shares {
  NormCoefficients<float> k;
  const float *of_g, *of_gx;
  float share;
  float *level, *slope;

  HD void operator()(i64 c) const {
    level[c] = k.scale[c] * (of_g[c] * share);
    slope[c] = k.scale[c] * (of_gx[c] * share * k.inverse[c]);
  }
};

}  // namespace

void norm_max_pool(const NormArguments& a, const Geometry& g, const Tensor& y, const Tensor& chosen,
                   const Tensor& taps) {
  with_narrow(a.x.dtype(),
              [&]<class T>(T) { with_window(g, [&](auto window) { forward<T>(a, g, window, y, chosen, taps); }); });
}

void norm_max_pool_gradient(const NormArguments& a, const Geometry& g, const Tensor& dy, const Tensor& taps,
                            const NormSums& sums, const Tensor& dx) {
  const i64 channels = g.channels;
  const NormCoefficients<float> k(a.fit);
  const Tensor line({2, channels}, DType::f32, a.x.device());
  float *level = line.data<float>(), *slope = level + channels;
  each(a.x.device(), channels,
       Shares{k, sums.of_g.data<float>(), sums.of_gx.data<float>(), share_of_row<float>(a), level, slope});
  with_narrow(a.x.dtype(), [&]<class T>(T) {
    with_window(g, [&](auto window) { backward<T>(a, g, window, dy, taps, {k.mean, k.scale, level, slope}, dx); });
  });
}

}  // namespace dactyl::fast
