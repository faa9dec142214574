// Layers on the GPU, computed by one algorithm or another, and how far two results lie apart.
#pragma once

#include "tests/check_op.h"

namespace dactyl {

struct Layer {
  const char* name;
  Shape x, w;
  Window window;
  i64 groups = 1;
  i64 into = 0, first = 0;  // y is a slice, from channel `first` on, of a tensor of so many channels; 0: y is dense
};

inline Tensor noise(const Shape& shape, DType type, std::uint32_t stream) {
  Tensor t(shape, DType::f32, Device::cpu());
  Sequence numbers(test_seed(), stream);
  for (i64 i = 0; i < t.count(); ++i) t.data<float>()[i] = static_cast<float>(2 * numbers.uniform() - 1);
  return t.to(type).to(Device::cuda());
}

// What a layer writes to: undefined, or a slice of a tensor full of threes.
inline Tensor place_of(const Layer& l, DType type) {
  if (!l.into) return {};
  Tensor wide(output_shape(l.x, l.window, l.into), type);
  wide.fill(3);
  return wide.slice(l.first, l.w[0]);
}

// y and dw (with `data` dx) by one algorithm; no relu, whose kinks would make gradients incomparable.
inline std::vector<std::vector<float>> passes(const Layer& l, DType type, Algorithm algorithm, bool data) {
  const Tensor x = noise(l.x, type, 1), w = noise(l.w, type, 2).watch(), b = noise({l.w[0]}, type, 3);
  const Tensor input = data ? x.detached().watch() : x;
  Tape tape;
  const Tensor y = conv(
      input, w, {.window = l.window, .groups = l.groups, .bias = b, .into = place_of(l, type), .algorithm = algorithm});
  tape.backward(record("projection", {y}, Tensor::zeros({1}, type),
                       [&](const Tensor&) { return Grads{noise(y.shape(), type, 4)}; }));
  std::vector<std::vector<float>> all{y.floats(), w.grad().floats()};
  if (data) all.push_back(input.grad().floats());
  return all;
}

inline double distance(const std::vector<float>& a, const std::vector<float>& b) {
  double off = 0, all = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    off += (double(a[i]) - b[i]) * (double(a[i]) - b[i]);
    all += double(b[i]) * b[i];
  }
  return std::sqrt(off / all);
}

inline double limit(DType type) { return type == DType::f32 ? 1e-4 : type == DType::f16 ? 3e-3 : 1e-2; }

}  // namespace dactyl
