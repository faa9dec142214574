// Inputs for tests.
#pragma once

#include <cstdlib>
#include <limits>
#include <numeric>
#include <vector>

#include "tests/compare.h"

namespace dactyl {

// One argument of an operation under test. Floating-point values are kept in f64 and converted to the type under test.
struct Input {
  Tensor value;         // f64 or an integer type, on the CPU
  bool watched = true;  // its gradient is checked
  bool wide = false;    // stays f32 while the other arguments are bf16 or f16
};

// Evenly spaced in (low, high) and shuffled: all different, none zero, so that the small steps of a difference
// quotient cross no kink (up to about 2000 numbers).
inline Input random(Shape shape, double low = -1, double high = 1) {
  static std::uint32_t stream = 0;
  Tensor t(shape, DType::f64, Device::cpu());
  const i64 n = t.count();
  std::vector<i64> order(static_cast<std::size_t>(n));
  std::iota(order.begin(), order.end(), i64{0});
  Sequence(test_seed(), stream++).shuffle(order.begin(), order.end());
  for (i64 i = 0; i < n; ++i)
    t.data<double>()[i] = low + (high - low) * (static_cast<double>(order[static_cast<std::size_t>(i)]) + 0.25) / n;
  return {t};
}

inline Input exact(Shape shape, const std::vector<float>& values) { return {Tensor::from(shape, values, DType::f64)}; }
inline Input integers(Shape shape, const std::vector<std::int32_t>& values) {
  return {Tensor::from(shape, values), false};
}
inline Input fixed(Input input) {  // no gradient is asked for
  input.watched = false;
  return input;
}
inline Input wide(Input input) {  // f32 beside bf16 and f16: statistics, scales
  input.wide = true;
  return input;
}

// DACTYL_CHECK=gpu leaves out what asks nothing of a GPU: under compute-sanitizer it would only take time.
inline bool asks_the_cpu() {
  const char* wish = std::getenv("DACTYL_CHECK");
  return gpu_count() == 0 || !wish || std::string(wish) != "gpu";
}

// Runs a body on the CPU and, where there is one, on a GPU.
template <class Body>
void on_each_device(const Body& body) {
  for (const Device device : {Device::cpu(), Device::cuda()}) {
    if (device.is_cuda() ? gpu_count() == 0 : !asks_the_cpu()) continue;
    SCOPED_TRACE("on " + to_text(device));
    const Use use(device);
    body();
  }
}

// Converted to the type under test, on a device.
inline Tensor moved(const Input& in, DType type, Device device) {
  const DType own = in.value.dtype();
  if (own == DType::i32 || own == DType::u8) return in.value.to(device);
  return in.value.to(in.wide && type != DType::f64 ? DType::f32 : type).to(device);
}

inline std::vector<Input> moved(std::vector<Input> inputs, DType type, Device device) {
  for (Input& in : inputs) in.value = moved(in, type, device);
  return inputs;
}

// The same numbers as a slice of a wider tensor full of NaN, which has as many channels more on either side.
struct Sliced {
  Tensor outer, inner;
};
inline Sliced sliced(const Tensor& t, i64 beside = 4) {
  const i64 channels = t.shape().channels();
  Sliced s{Tensor(t.shape().with(-1, channels + 2 * beside), t.dtype(), t.device()), {}};
  s.outer.fill(std::numeric_limits<double>::quiet_NaN());
  s.inner = s.outer.slice(beside, channels);
  s.inner.copy_from(t);
  return s;
}

}  // namespace dactyl
