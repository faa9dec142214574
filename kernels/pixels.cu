// y = (colour(x) − mean)·scale: from bytes to numbers, with crop, mirror and colour changes, in one pass.
#include "engine/each.h"
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

template <class T>
void convert(const Frame& f, const Tensor& bytes, const Tensor& geometry, const Tensor& result) {
  using C = compute_t<T>;
  const std::uint8_t* x = bytes.data<std::uint8_t>();
  const float* rows = geometry.data<float>();
  T* y = result.data<T>();
  each_row(result.device(), result.shape().rows() / f.width, f.width, [=] HD(i64 r, i64 w) {
    const i64 n = r / f.height;  // of all frames of all clips
    const Look look(rows + 8 * (n / f.depth));
    const i64 row = look.top + r % f.height, column = look.left + (look.mirror ? f.width - 1 - w : w);
    const bool inside = row >= 0 && row < f.source_height && column >= 0 && column < f.source_width;
    const std::uint8_t* from = x + ((n * f.source_height + row) * f.source_width + column) * f.channels;
    float v[max_channels] = {};
    for (i64 c = 0; inside && c < f.channels; ++c) v[c] = from[c];
    if (f.flow) {
      if (look.mirror) v[0] = 255 - v[0];
    } else if (!look.neutral()) {
      look.colour(v, f.channels);
    }
    T* to = y + (r * f.width + w) * f.channels;
    for (i64 c = 0; c < f.channels; ++c) to[c] = T(inside ? (C(v[c]) - C(f.mean[c])) * C(f.scale[c]) : C(0));
  });
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
