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

// Pixels in the order of the result that a thread converts together: whole packs of 16 bytes, whatever the channels and
// the type, even where a row ends among them.
template <int channels, class T>
struct Group {
  static constexpr int count = 8, size = Pack<T>::size;
  Frame f;
  Divisor width, height, depth;  // of a row; of a picture; of a clip
  const std::uint8_t* x;
  const float* looks;
  T* y;
  i64 pixels;

  // What the pixels of row r of all pictures have in common.
  struct Row {
    Look look;
    const std::uint8_t* from;
    bool inside;
    HD Row(const Group& g, std::uint32_t r) : Row(g, r, g.height.of(r)) {}
    HD Row(const Group& g, std::uint32_t r, std::uint32_t n) : look(g.looks + 8 * i64{g.depth.of(n)}) {
      const i64 row = look.top + static_cast<i64>(r - n * g.height.by);
      from = g.x + (i64{n} * g.f.source_height + row) * g.f.source_width * channels;
      inside = row >= 0 && row < g.f.source_height;
    }
  };

  HD void operator()(i64 i) const {
    int w;
    std::uint32_t r = width.split(static_cast<std::uint32_t>(i * count), w);
    Row row(*this, r);
    Pack<T> packs[count * channels / size];
    for (int k = 0; k < count && i * count + k < pixels; ++k, ++w) {
      if (w == static_cast<int>(width.by)) w = 0, row = Row(*this, ++r);
      const i64 column = row.look.left + (row.look.mirror ? f.width - 1 - w : w);
      T pixel[channels];
      convert_pixel<channels>(f, row.look, row.from + column * channels,
                              row.inside && column >= 0 && column < f.source_width, pixel);
      for (int c = 0; c < channels; ++c) packs[(k * channels + c) / size].v[(k * channels + c) % size] = pixel[c];
    }
    T* to = y + i * (count * channels);
    if ((i + 1) * count <= pixels)
      for (int k = 0; k < count * channels / size; ++k) packs[k].store(to + k * size);
    else
      for (int k = 0; k < (pixels - i * count) * channels; ++k) to[k] = packs[k / size].v[k % size];
  }
};

template <int channels, class T>
void convert(const Frame& f, const Tensor& bytes, const Tensor& geometry, const Tensor& result) {
  using G = Group<channels, T>;
  const i64 pixels = result.shape().rows();
  if (pixels == 0) return;
  check(pixels < i64{1} << 31, "pixels: {} pixels are more than {}", pixels, (i64{1} << 31) - 1);
  each(result.device(), (pixels + G::count - 1) / G::count,
       G{f, Divisor(f.width), Divisor(f.height), Divisor(f.depth), bytes.data<std::uint8_t>(), geometry.data<float>(),
         result.data<T>(), pixels});
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
