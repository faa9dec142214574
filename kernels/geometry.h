// Where a window meets its input: plain numbers that a body can carry to either device. Internal to the kernels.
#pragma once

#include "engine/each.h"
#include "kernels/ops.h"

namespace dactyl {

// One element of a batch of volumes. Images are volumes of depth 1, rows of pixels of depth and height 1.
struct Place {
  i64 n, d, h, w;
};

struct Geometry {
  i64 batch = 1, channels = 1;  // channels: of the input
  i64 in[3] = {1, 1, 1}, out[3] = {1, 1, 1};
  i64 kernel[3] = {1, 1, 1}, stride[3] = {1, 1, 1}, low[3] = {0, 0, 0}, high[3] = {0, 0, 0};

  HD i64 taps() const { return kernel[0] * kernel[1] * kernel[2]; }
  HD i64 rows_in() const { return batch * in[0] * in[1] * in[2]; }
  HD i64 rows_out() const { return batch * out[0] * out[1] * out[2]; }
  bool meets_input() const {  // no window lies in the padding alone
    for (int i = 0; i < 3; ++i)
      if (low[i] >= kernel[i] || high[i] >= kernel[i]) return false;
    return true;
  }

  HD static Place place(const i64 (&extent)[3], i64 row) {
    const i64 w = row % extent[2], h = row / extent[2] % extent[1], d = row / (extent[2] * extent[1]) % extent[0];
    return {row / (extent[2] * extent[1] * extent[0]), d, h, w};
  }

  // f(tap, input row) for every tap of the window of one output row that falls inside the input, in order.
  template <class F>
  HD void each_tap(i64 output_row, const F& f) const {
    const Place p = place(out, output_row);
    for (i64 a = 0; a < kernel[0]; ++a) {
      const i64 d = p.d * stride[0] - low[0] + a;
      if (d < 0 || d >= in[0]) continue;
      for (i64 b = 0; b < kernel[1]; ++b) {
        const i64 h = p.h * stride[1] - low[1] + b;
        if (h < 0 || h >= in[1]) continue;
        for (i64 c = 0; c < kernel[2]; ++c) {
          const i64 w = p.w * stride[2] - low[2] + c;
          if (w >= 0 && w < in[2]) f((a * kernel[1] + b) * kernel[2] + c, ((p.n * in[0] + d) * in[1] + h) * in[2] + w);
        }
      }
    }
  }

  // f(tap, output) for every window along an axis that reads an input index, by ascending taps.
  template <class F>
  HD void each_output(int axis, i64 input, const F& f) const {
    const i64 from = input + low[axis], last = from / stride[axis];
    for (i64 o = last < out[axis] ? last : out[axis] - 1; o >= 0 && from - o * stride[axis] < kernel[axis]; --o)
      f(from - o * stride[axis], o);
  }

  // f(tap, output row) for every window that reads one input row: the transpose of each_tap.
  template <class F>
  HD void each_window(i64 input_row, const F& f) const {
    const Place p = place(in, input_row);
    each_output(0, p.d, [&](i64 a, i64 d) {
      each_output(1, p.h, [&](i64 b, i64 h) {
        each_output(2, p.w, [&](i64 c, i64 w) {
          f((a * kernel[1] + b) * kernel[2] + c, ((p.n * out[0] + d) * out[1] + h) * out[2] + w);
        });
      });
    });
  }
};

// For x (N, spatial…, C) and y of output_shape.
Geometry geometry(const Shape& x, const Shape& y, const Window& window);

// `into` if it is defined and fits shape and x's type, else a new dense tensor. `what` names the operation in errors.
Tensor result(const char* what, const Tensor& into, const Shape& shape, const Tensor& x);

}  // namespace dactyl
