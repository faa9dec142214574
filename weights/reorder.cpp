// All reorderings are one: (outer, channels, inner) to (outer, inner, channels).
#include "weights/reorder.h"

#include <utility>
#include <vector>

namespace dactyl {
namespace {

template <class T>
void move_channels(const T* from, T* to, i64 outer, i64 channels, i64 inner) {
#pragma omp parallel for schedule(static) if (outer * channels * inner > 65536)
  for (i64 o = 0; o < outer; ++o) {
    const i64 base = o * channels * inner;
    for (i64 c = 0; c < channels; ++c)
      for (i64 i = 0; i < inner; ++i) to[base + i * channels + c] = from[base + c * inner + i];
  }
}

Tensor moved(const Tensor& t, i64 channels, const Shape& shape) {
  Tensor out(shape, t.dtype(), Device::cpu());
  if (t.count() == 0) return out;
  const i64 outer = t.shape()[0], inner = t.count() / (outer * channels);
  with_float(t.dtype(), [&]<class T>() { move_channels(t.data<T>(), out.data<T>(), outer, channels, inner); });
  return out;
}

}  // namespace

Tensor channels_last(const Tensor& weight) {
  const Shape& from = weight.shape();
  check(from.rank() >= 3, "channels_last: shape {} has no kernel", from);
  Shape to = from.with(-1, from[1]);
  for (int i = 2; i < from.rank(); ++i) to = to.with(i - 1, from[i]);
  return moved(weight, from[1], to);
}

Tensor channels_last_columns(const Tensor& weight, i64 channels) {
  const Shape& shape = weight.shape();
  check(shape.rank() == 2 && channels > 0 && shape[1] % channels == 0,
        "channels_last_columns: shape {} has no columns of {} channels", shape, channels);
  return moved(weight, channels, shape);
}

Tensor red_and_blue_swapped(const Tensor& weight) {
  check(weight.shape().channels() == 3, "red_and_blue_swapped: shape {} has {} channels, 3 needed", weight.shape(),
        weight.shape().channels());
  Tensor out = weight.clone();
  with_float(out.dtype(), [&]<class T>() {
    T* values = out.data<T>();
    for (i64 i = 0; i < out.count(); i += 3) std::swap(values[i], values[i + 2]);
  });
  return out;
}

}  // namespace dactyl
