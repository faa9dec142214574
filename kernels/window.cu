// Windows and the extents they leave.
#include "kernels/geometry.h"

namespace dactyl {
namespace {

void check_window(const Shape& x, const Window& w) {
  const int rank = x.spatial();
  check(rank >= 1 && rank <= 3, "window: input {} needs 1 to 3 spatial extents between batch and channels", x);
  check(w.kernel.rank() == rank && w.stride.rank() == rank && w.low.rank() == rank && w.high.rank() == rank,
        "window: kernel {}, stride {}, padding {} and {} do not match input {}", w.kernel, w.stride, w.low, w.high, x);
  for (int i = 0; i < rank; ++i)
    check(w.kernel[i] >= 1 && w.stride[i] >= 1, "window: kernel {} and stride {} must be at least 1", w.kernel,
          w.stride);
}

}  // namespace

Window window(Shape kernel, Shape stride, Shape pad) { return {kernel, stride, pad, pad}; }

Window square(i64 kernel, i64 stride, i64 pad) { return window({kernel, kernel}, {stride, stride}, {pad, pad}); }

Window same(const Shape& x, Shape kernel, Shape stride) {
  Window w{kernel, stride, kernel, kernel};
  check_window(x, w);
  for (int i = 0; i < kernel.rank(); ++i) {
    const i64 outputs = (x[i + 1] + stride[i] - 1) / stride[i];
    const i64 total = std::max<i64>(0, (outputs - 1) * stride[i] + kernel[i] - x[i + 1]);
    w.low = w.low.with(i, total / 2);
    w.high = w.high.with(i, total - total / 2);
  }
  return w;
}

Shape output_shape(const Shape& x, const Window& w, i64 channels, Rounding rounding) {
  check_window(x, w);
  Shape y = x.with(-1, channels);
  for (int i = 0; i < w.kernel.rank(); ++i) {
    const i64 room = x[i + 1] + w.low[i] + w.high[i] - w.kernel[i];
    check(room >= 0, "window: kernel {} is larger than input {} padded by {} and {}", w.kernel, x, w.low, w.high);
    i64 outputs = (rounding == Rounding::ceil ? room + w.stride[i] - 1 : room) / w.stride[i] + 1;
    // The last window must begin inside the input or its left padding.
    if (rounding == Rounding::ceil && (outputs - 1) * w.stride[i] >= x[i + 1] + w.low[i]) --outputs;
    y = y.with(i + 1, outputs);
  }
  return y;
}

Geometry geometry(const Shape& x, const Shape& y, const Window& w) {
  Geometry g;
  g.batch = x[0];
  g.channels = x.channels();
  const int missing = 3 - x.spatial();
  for (int i = 0; i < x.spatial(); ++i) {
    const int at = i + missing;
    g.in[at] = x[i + 1];
    g.out[at] = y[i + 1];
    g.kernel[at] = w.kernel[i];
    g.stride[at] = w.stride[i];
    g.low[at] = w.low[i];
    g.high[at] = w.high[i];
  }
  return g;
}

Tensor result(const char* what, const Tensor& into, const Shape& shape, const Tensor& x) {
  if (!into.defined()) return Tensor(shape, x.dtype(), x.device());
  check(into.shape() == shape && into.dtype() == x.dtype() && into.device() == x.device(),
        "{}: the result is {} {} on {}, the place for it {} {} on {}", what, x.dtype(), shape, x.device(), into.dtype(),
        into.shape(), into.device());
  return into.detached();
}

}  // namespace dactyl
