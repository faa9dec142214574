// y = (colour(x) − mean)·scale: from bytes to numbers, with crop, mirror and colour changes, in one pass.
#include "engine/each.h"
#include "engine/pack.h"
#include "kernels/divisor.h"
#include "kernels/ops.h"

namespace dactyl {
namespace {

constexpr int max_channels = 3;

// One row of the geometry tensor, as the body reads it.
struct Look {
  i64 top, left;
  bool mirror;
  float brightness, contrast, saturation;

  HD explicit Look(const float* g)
      : top(static_cast<i64>(g[0])),
        left(static_cast<i64>(g[1])),
        mirror(g[2] > 0.5f),
        brightness(g[3]),
        contrast(g[4]),
        saturation(g[5]) {}

  HD bool neutral() const { return brightness == 0 && contrast == 1 && saturation == 1; }
  // Brightness, then contrast about mid-grey, then saturation about the pixel's own grey (the mean of its channels, so
  // that RGB and BGR are treated alike); back into the range of a byte.
  HD void colour(float* v, i64 channels) const {
    float grey = 0;
    for (i64 c = 0; c < channels; ++c) {
      v[c] = (v[c] + brightness - 128) * contrast + 128;
      grey += v[c] / static_cast<float>(channels);
    }
    for (i64 c = 0; c < channels; ++c) {
      if (channels == 3) v[c] = grey + (v[c] - grey) * saturation;
      v[c] = v[c] < 0 ? 0.0f : v[c] > 255 ? 255.0f : v[c];
    }
  }
};

struct Frame {
  i64 depth, source_height, source_width, height, width, channels;
  bool flow;
  float mean[max_channels], scale[max_channels];
};

// A pixel that is not inside of the source is 0.
template <int channels, class T>
HD void convert_pixel(const Frame& f, const Look& look, const std::uint8_t* from, bool inside, T* to) {
  using C = compute_t<T>;
  float v[channels] = {};
  for (int c = 0; inside && c < channels; ++c) v[c] = from[c];
  if (f.flow) {
    if (look.mirror) v[0] = 255 - v[0];
  } else if (!look.neutral()) {
    look.colour(v, channels);
  }
  for (int c = 0; c < channels; ++c) to[c] = T(inside ? (C(v[c]) - C(f.mean[c])) * C(f.scale[c]) : C(0));
}

// Pixels of one row that a thread converts together: whole packs of 16 bytes, whatever the channels and the type.
template <int channels, class T>
struct Group {
  static constexpr int count = 8;
  Frame f;
  Divisor groups, height, depth;  // of a row; of a picture; of a clip
  const std::uint8_t* x;
  const float* looks;
  T* y;

  HD void operator()(i64 i) const {
    int group, h;
    const std::uint32_t r = groups.split(static_cast<std::uint32_t>(i), group), n = height.split(r, h);
    const Look look(looks + 8 * i64{depth.of(n)});
    const i64 row = look.top + h;
    const bool inside = row >= 0 && row < f.source_height;
    const std::uint8_t* from = x + (i64{n} * f.source_height + row) * f.source_width * channels;
    Pack<T> packs[count * channels / Pack<T>::size];
    for (int k = 0; k < count; ++k) {
      const i64 w = i64{group} * count + k, column = look.left + (look.mirror ? f.width - 1 - w : w);
      T pixel[channels];
      convert_pixel<channels>(f, look, from + column * channels, inside && column >= 0 && column < f.source_width,
                              pixel);
      for (int c = 0; c < channels; ++c)
        packs[(k * channels + c) / Pack<T>::size].v[(k * channels + c) % Pack<T>::size] = pixel[c];
    }
    for (int k = 0; k < count * channels / Pack<T>::size; ++k)
      packs[k].store(y + i * (count * channels) + k * Pack<T>::size);
  }
};

template <int channels, class T>
void convert(const Frame& f, const Tensor& bytes, const Tensor& geometry, const Tensor& result) {
  const std::uint8_t* x = bytes.data<std::uint8_t>();
  const float* looks = geometry.data<float>();
  T* y = result.data<T>();
  const i64 pixels = result.shape().rows();
  if (pixels == 0) return;
  constexpr int count = Group<channels, T>::count;
  if (f.width % count == 0 && pixels / count < i64{1} << 31) {
    const Group<channels, T> body{f, Divisor(f.width / count), Divisor(f.height), Divisor(f.depth), x, looks, y};
    return each(result.device(), pixels / count, body);
  }
  each_row(result.device(), pixels / f.width, f.width, [=] HD(i64 r, i64 w) {
    const i64 n = r / f.height;  // of all frames of all clips
    const Look look(looks + 8 * (n / f.depth));
    const i64 row = look.top + r % f.height, column = look.left + (look.mirror ? f.width - 1 - w : w);
    const bool inside = row >= 0 && row < f.source_height && column >= 0 && column < f.source_width;
    const std::uint8_t* from = x + ((n * f.source_height + row) * f.source_width + column) * channels;
    convert_pixel<channels>(f, look, from, inside, y + (r * f.width + w) * channels);
  });
}

template <class T>
void convert(const Frame& f, const Tensor& bytes, const Tensor& geometry, const Tensor& result) {
  if (f.channels == 1) return convert<1, T>(f, bytes, geometry, result);
  if (f.channels == 2) return convert<2, T>(f, bytes, geometry, result);
  convert<3, T>(f, bytes, geometry, result);
}

Frame frame(const Tensor& bytes, const Tensor& geometry, const PixelOptions& o) {
  const Shape& s = bytes.shape();
  check((s.rank() == 4 || s.rank() == 5) && bytes.dtype() == DType::u8 && s[-1] >= 1 && s[-1] <= max_channels,
        "pixels: {} {} is not u8 (N, H, W, C) or (N, D, H, W, C) with 1 to 3 channels", bytes.dtype(), s);
  check(geometry.shape() == Shape{s[0], 8} && geometry.dtype() == DType::f32,
        "pixels: the geometry for {} must be f32 {}, it is {} {}", s, Shape{s[0], 8}, geometry.dtype(),
        geometry.shape());
  check(o.height > 0 && o.width > 0, "pixels: a result of {} x {} was asked for", o.height, o.width);
  check(static_cast<i64>(o.mean.size()) == s[-1] && static_cast<i64>(o.scale.size()) == s[-1],
        "pixels: {} means and {} scales for the {} channels of {}", o.mean.size(), o.scale.size(), s[-1], s);
  Frame f{s.rank() == 5 ? s[1] : 1, s[-3], s[-2], o.height, o.width, s[-1], o.flow, {}, {}};
  std::copy(o.mean.begin(), o.mean.end(), f.mean);
  std::copy(o.scale.begin(), o.scale.end(), f.scale);
  return f;
}

}  // namespace

Tensor pixels(const Tensor& bytes, const Tensor& geometry, const PixelOptions& options) {
  const Frame f = frame(bytes, geometry, options);
  Tensor y(bytes.shape().with(-3, f.height).with(-2, f.width), options.dtype, bytes.device());
  with_float(options.dtype, [&]<class T>() { convert<T>(f, bytes.dense(), geometry, y); });
  return y;
}

}  // namespace dactyl
