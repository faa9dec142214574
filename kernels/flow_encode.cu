// Optical flow as network input and as a picture.
#include <limits>

#include "engine/reduce.h"
#include "kernels/flow.h"

namespace dactyl {
namespace {

// The shortest and the longest of some vectors: a fold's sum.
struct Lengths {
  float shortest = std::numeric_limits<float>::infinity(), longest = 0;
  HD Lengths& operator+=(const Lengths& o) {
    shortest = o.shortest < shortest ? o.shortest : shortest;
    longest = o.longest > longest ? o.longest : longest;
    return *this;
  }
};

struct Colour {
  float r, g, b;  // whole numbers, 0 to 255
};

HD inline float byte(float v) { return std::floor(v < 0 ? 0.0f : v < 255 ? v : 255.0f); }

// Hue by direction (0°: right, red; 90°: down), full saturation. As OpenCV's sample, hue is a whole number of two
// degrees and brightness a whole number of 255 before they become RGB.
HD inline Colour colour(float u, float v, float brightness) {
  const float turn = std::atan2(v, u) * 0.15915494309f;
  float hue = std::floor((turn < 0 ? turn + 1 : turn) * 180);
  if (!(hue < 180)) hue = 0;
  const float sixth = hue * (6.0f / 180), value = byte(brightness), sector = std::floor(sixth), part = sixth - sector;
  const float rising = std::rint(value * part), falling = std::rint(value * (1 - part));
  if (sector < 1) return {value, rising, 0};
  if (sector < 2) return {falling, value, 0};
  if (sector < 3) return {0, value, rising};
  if (sector < 4) return {0, falling, value};
  if (sector < 5) return {rising, 0, value};
  return {value, 0, falling};
}

HD inline float length(float u, float v) { return std::sqrt(u * u + v * v); }
HD inline float cut(float v, float bound) { return (v < -bound ? -bound : v > bound ? bound : v) / bound; }

void encode_uv(const Tensor& flow, float bound, const Tensor& to) {
  const i64 channels = to.shape().channels();
  const float* x = flow.data<float>();
  float* y = to.data<float>();
  each_row(flow.device(), flow.shape().rows(), channels,
           [=] HD(i64 row, i64 c) { y[row * channels + c] = c < 2 ? cut(x[2 * row + c], bound) : 0.0f; });
}

void encode_hsv(const Tensor& flow, const Tensor& to) {
  const i64 frames = flow.shape()[0], pixels = flow.shape()[1] * flow.shape()[2];
  const Tensor memory({frames, 2}, DType::f32, flow.device());
  const float* x = flow.data<float>();
  float *range = memory.data<float>(), *y = to.data<float>();
  fold_rows<Lengths>(
      flow.device(), frames, pixels,
      [=] HD(i64 n, i64 i) {
        const float* at = x + 2 * (n * pixels + i);
        const float l = length(at[0], at[1]);
        return Lengths{l, l};
      },
      [=] HD(i64 n, const Lengths& l) {
        range[2 * n] = l.shortest;
        range[2 * n + 1] = l.longest;
      });
  each_row(flow.device(), frames, pixels, [=] HD(i64 n, i64 i) {
    const float* at = x + 2 * (n * pixels + i);
    const float least = range[2 * n], span = range[2 * n + 1] - least;
    const float part = span > std::numeric_limits<float>::epsilon() ? (length(at[0], at[1]) - least) / span : 0.0f;
    const Colour c = colour(at[0], at[1], 255 * part);
    float* out = y + 3 * (n * pixels + i);
    out[0] = c.r, out[1] = c.g, out[2] = c.b;
  });
}

// Bytes to −1 … 1; uv is there already.
template <class T>
void to_unit(const Tensor& encoded, bool bytes, const Tensor& y) {
  const float* x = encoded.data<float>();
  T* to = y.data<T>();
  each(y.device(), y.count(), [=] HD(i64 i) { to[i] = T(bytes ? x[i] / 127.5f - 1 : x[i]); });
}

void check_flow(const char* what, const Tensor& flow) {
  check(flow.dtype() == DType::f32 && flow.shape().rank() == 4 && flow.shape()[3] == 2,
        "{}: needs a flow (N, H, W, 2) in f32, got {} {}", what, flow.dtype(), flow.shape());
}

}  // namespace

i64 channels_of(FlowEncoding encoding) { return encoding == FlowEncoding::uv ? 2 : 3; }

Tensor flow_encode(const Tensor& flow, FlowEncoding encoding, double bound) {
  check_flow("flow_encode", flow);
  check(bound > 0, "flow_encode: the bound {} of a flow {} must be positive", bound, flow.shape());
  const Tensor y(flow.shape().with(3, channels_of(encoding)), DType::f32, flow.device());
  if (encoding == FlowEncoding::hsv)
    encode_hsv(flow.dense(), y);
  else
    encode_uv(flow.dense(), static_cast<float>(bound), y);
  return y;
}

Tensor flow_input(const Tensor& flow, FlowEncoding encoding, double bound, DType dtype) {
  const Shape& s = flow.shape();
  check(s.rank() == 5 && s[4] == 2, "flow_input: needs clips of flow (N, D, H, W, 2), got {}", s);
  const Tensor encoded = flow_encode(flow.dense().reshaped({s[0] * s[1], s[2], s[3], 2}), encoding, bound);
  const Tensor y(s.with(4, channels_of(encoding)), dtype, flow.device());
  with_float(dtype, [&]<class T>() { to_unit<T>(encoded, encoding == FlowEncoding::hsv, y); });
  return y;
}

Tensor flow_picture(const Tensor& flow, double longest) {
  check_flow("flow_picture", flow);
  check(longest > 0, "flow_picture: the longest vector {} of a flow {} must be positive", longest, flow.shape());
  const Tensor dense = flow.dense(), y(flow.shape().with(3, 3), DType::u8, flow.device());
  const float* x = dense.data<float>();
  const float scale = static_cast<float>(255 / longest);
  std::uint8_t* to = y.data<std::uint8_t>();
  each(flow.device(), flow.shape().rows(), [=] HD(i64 i) {
    const Colour c = colour(x[2 * i], x[2 * i + 1], length(x[2 * i], x[2 * i + 1]) * scale);
    to[3 * i] = static_cast<std::uint8_t>(c.r);
    to[3 * i + 1] = static_cast<std::uint8_t>(c.g);
    to[3 * i + 2] = static_cast<std::uint8_t>(c.b);
  });
  return y;
}

}  // namespace dactyl
