// Between the levels of Farnebäck's pyramid: frames smoothed and shrunk, flows enlarged.
#include <vector>

#include "engine/each.h"
#include "kernels/flow_farneback_rows.h"
#include "kernels/flow_farneback_steps.h"

namespace dactyl::farneback {
namespace {

struct Sizes {
  i64 old_height, old_width, height, width;
  double ratio_y, ratio_x;
};
Sizes sizes(const Shape& old, const Shape& now) {
  const auto ratio = [&](int i) { return 1 / (static_cast<double>(now[i]) / static_cast<double>(old[i])); };
  return {old[1], old[2], now[1], now[2], ratio(1), ratio(2)};
}

// Smoothing at two neighbours and interpolating between them is one weighted sum.
template <class T>
void shrink_each(const Sizes& s, const Smoothing& g, Device device, i64 rows, const T* x, T* y) {
  each_row(device, rows, s.width, [=] HD(i64 r, i64 c) {
    const Place v = place(r % s.height, s.old_height, s.ratio_y), u = place(c, s.old_width, s.ratio_x);
    const T* frame = x + r / s.height * s.old_height * s.old_width;
    float sum = 0;
    for (i64 j = -g.radius; j <= g.radius + 1; ++j) {
      const T* row = frame + mirrored(v.low + j, s.old_height) * s.old_width;
      float inner = 0;
      for (i64 i = -g.radius; i <= g.radius + 1; ++i)
        inner += ((1 - u.part) * g.weight(i) + u.part * g.weight(i - 1)) * row[mirrored(u.low + i, s.old_width)];
      sum += ((1 - v.part) * g.weight(j) + v.part * g.weight(j - 1)) * inner;
    }
    y[r * s.width + c] = sum;
  });
}

template <class T>
void enlarge_each(const Sizes& s, float factor, Device device, i64 rows, const T* x, T* y) {
  each_row(device, rows, s.width, [=] HD(i64 r, i64 c) {
    const Place v = place(r % s.height, s.old_height, s.ratio_y), u = place(c, s.old_width, s.ratio_x);
    const T* top = x + 2 * ((r / s.height * s.old_height + v.low) * s.old_width + u.low);
    const i64 right = u.part > 0 ? 2 : 0, down = v.part > 0 ? 2 * s.old_width : 0;
    for (int k = 0; k < 2; ++k) {
      const T above = top[k] * (1 - u.part) + top[k + right] * u.part;
      const T below = top[k + down] * (1 - u.part) + top[k + down + right] * u.part;
      y[2 * (r * s.width + c) + k] = (above * (1 - v.part) + below * v.part) * factor;
    }
  });
}

// A line's places with the weights of all the numbers that each sums.
Line line(const Smoothing& g, i64 old_size, i64 size, double ratio) {
  Line l{old_size, size, 2 * g.radius + 2, {}, {}};
  for (i64 i = 0; i < size; ++i) {
    const Place p = place(i, old_size, ratio);
    l.first.push_back(p.low - g.radius);
    for (i64 j = -g.radius; j <= g.radius + 1; ++j)
      l.weights.push_back((1 - p.part) * g.weight(j) + p.part * g.weight(j - 1));
  }
  return l;
}

}  // namespace

void shrink(const Tensor& frames, const Smoothing& smoothing, const Tensor& image, bool reference) {
  const Sizes s = sizes(frames.shape(), image.shape());
  const i64 rows = image.shape()[0] * s.height;
  const float* x = frames.data<float>();
  float* y = image.data<float>();
  if (reference || frames.device().is_cuda()) return shrink_each(s, smoothing, frames.device(), rows, x, y);
  const Line across = line(smoothing, s.old_width, s.width, s.ratio_x);
  const Line down = line(smoothing, s.old_height, s.height, s.ratio_y);
#pragma omp parallel for schedule(static)
  for (i64 r = 0; r < rows; ++r)
    shrink_row(across, down, x + r / s.height * s.old_height * s.old_width, r % s.height, y + r * s.width);
}

void enlarge(const Tensor& flow, double factor, const Tensor& larger) {
  const Sizes s = sizes(flow.shape(), larger.shape());
  enlarge_each(s, static_cast<float>(factor), flow.device(), larger.shape()[0] * s.height, flow.data<float>(),
               larger.data<float>());
}

}  // namespace dactyl::farneback
