// Grey frames for tests of optical flow: a smooth random texture, known between its pixels too.
#pragma once

#include "tests/inputs.h"

namespace dactyl {

// A sum of waves with random directions, wavelengths of 9 to 60 pixels and phases.
class Texture {
 public:
  explicit Texture(std::uint32_t stream) {
    Sequence random(test_seed(), stream, 77);
    for (Wave& w : waves_) {
      const double direction = random.uniform(0, 6.2832), length = random.uniform(9, 60);
      w = {6.2832 * std::cos(direction) / length, 6.2832 * std::sin(direction) / length, random.uniform(0, 6.2832)};
    }
  }
  double at(double x, double y) const {
    double sum = 0;
    for (const Wave& w : waves_) sum += std::sin(w.x * x + w.y * y + w.phase);
    return 127.5 + 20 * sum;
  }
  // (1, H, W) f32 on the current device; what is at (x, y) in `at` appears at (x + u, y + v).
  Tensor frame(i64 height, i64 width, double u = 0, double v = 0) const {
    std::vector<float> values;
    for (i64 y = 0; y < height; ++y)
      for (i64 x = 0; x < width; ++x)
        values.push_back(static_cast<float>(at(static_cast<double>(x) - u, static_cast<double>(y) - v)));
    return Tensor::from({1, height, width}, values);
  }

 private:
  struct Wave {
    double x, y, phase;
  };
  std::array<Wave, 24> waves_;
};

// Frames of one size, one after the other.
inline Tensor stacked(const std::vector<Tensor>& frames) {
  std::vector<float> values;
  for (const Tensor& frame : frames) {
    const std::vector<float> numbers = frame.floats();
    values.insert(values.end(), numbers.begin(), numbers.end());
  }
  return Tensor::from(frames[0].shape().with(0, static_cast<i64>(frames.size())), values);
}

// The mean distance of a flow (N, H, W, 2) from another, or from one vector, without a border; and how many lie within
// 0.05 px.
struct FlowDistance {
  double mean = 0, near = 0;
};
template <class Other>
FlowDistance flow_distance(const Tensor& flow, i64 border, const Other& other) {
  const Shape& s = flow.shape();
  const std::vector<float> f = flow.floats();
  FlowDistance d;
  double count = 0;
  for (i64 i = 0; i < s.count() / 2; ++i) {
    const i64 x = i % s[2], y = i / s[2] % s[1];
    if (x < border || y < border || x >= s[2] - border || y >= s[1] - border) continue;
    const auto [u, v] = other(i);
    const double error = std::hypot(f[static_cast<std::size_t>(2 * i)] - u, f[static_cast<std::size_t>(2 * i + 1)] - v);
    d.mean += error;
    d.near += error <= 0.05;
    ++count;
  }
  return {d.mean / count, d.near / count};
}

inline FlowDistance flow_distance(const Tensor& flow, const Tensor& other) {
  const std::vector<float> o = other.floats();
  return flow_distance(flow, 0, [&](i64 i) {
    return std::pair<double, double>(o[static_cast<std::size_t>(2 * i)], o[static_cast<std::size_t>(2 * i + 1)]);
  });
}

}  // namespace dactyl
