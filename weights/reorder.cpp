// Most reorderings are one: (outer, channels, inner) to (outer, inner, channels).
#include "weights/reorder.h"

#include <array>
#include <numeric>
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

// Axis i of ours is this axis of the file's.
std::vector<int> axis_order(Axes axes, int rank) {
  std::vector<int> order(static_cast<std::size_t>(rank));
  std::iota(order.begin(), order.end(), 0);
  if (axes == Axes::outputs_first && rank > 2) {
    order.erase(order.begin() + 1);
    order.push_back(1);
  } else if (axes != Axes::outputs_first && rank > 1) {
    const int output = axes == Axes::outputs_last ? rank - 1 : rank - 2;
    order.erase(order.begin() + output);
    order.insert(order.begin(), output);
  }
  return order;
}

// Axis i of the result is axis order[i] of t.
Tensor permuted(const Tensor& t, const std::vector<int>& order) {
  const int rank = t.shape().rank();
  std::array<i64, Shape::max_rank> step{};  // of the result's axes in t
  Shape to = t.shape();
  for (int i = 0; i < rank; ++i) {
    const int axis = order[static_cast<std::size_t>(i)];
    to = to.with(i, t.shape()[axis]);
    i64& s = step[static_cast<std::size_t>(i)];
    s = 1;
    for (int j = axis + 1; j < rank; ++j) s *= t.shape()[j];
  }
  Tensor out(to, t.dtype(), Device::cpu());
  with_float(t.dtype(), [&]<class T>() {
    const T* from = t.data<T>();
    for (i64 n = 0; n < out.count(); ++n) {
      i64 at = 0, rest = n;
      for (int i = rank - 1; i >= 0; rest /= to[i], --i) at += rest % to[i] * step[static_cast<std::size_t>(i)];
      out.data<T>()[n] = from[at];
    }
  });
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

const char* change_of(Axes axes) {
  if (axes == Axes::outputs_last) return "axes (k…, I, O) -> (O, k…, I)";
  return axes == Axes::depthwise ? "axes (k…, C, 1) -> (C, k…, 1)" : "axes (O, I, k…) -> (O, k…, I)";
}

Shape stored_shape(const Shape& ours, Axes axes) {
  const std::vector<int> order = axis_order(axes, ours.rank());
  Shape stored = ours;
  for (int i = 0; i < ours.rank(); ++i) stored = stored.with(order[static_cast<std::size_t>(i)], ours[i]);
  return stored;
}

Tensor from_stored(const Tensor& t, Axes axes) {
  if (axes == Axes::outputs_first) return channels_last(t);
  return permuted(t, axis_order(axes, t.shape().rank()));
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
