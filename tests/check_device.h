// The part of check_op that runs once per device: types, repeatability, slices, memory, capture.
#pragma once

#include <functional>

#include "tests/compare.h"
#include "tests/inputs.h"

namespace dactyl {

using Op = std::function<Tensor(const std::vector<Tensor>&)>;

struct CheckOptions {
  bool gradient = true;  // false: the operation is not recorded
  double slack = 1;      // multiplies the tolerances of the narrow types: long sums, steep functions
  bool slices = true;    // the first argument may be a slice of a wider tensor
  std::vector<DType> types{DType::f32, DType::bf16, DType::f16};  // checked against f64
};

struct Outcome {
  Tensor y;
  std::vector<Tensor> dx;  // of the watched inputs, in order

  std::vector<Tensor> all() const {
    std::vector<Tensor> list{y};
    list.insert(list.end(), dx.begin(), dx.end());
    return list;
  }
};

// The value, and the gradients for a result's gradient dy (undefined: the value alone).
inline Outcome run(const Op& op, const std::vector<Input>& inputs, const Tensor& dy = {}) {
  std::vector<Tensor> x;
  for (const Input& in : inputs) x.push_back(in.watched && dy.defined() ? in.value.detached().watch() : in.value);
  if (!dy.defined()) return {op(x), {}};
  Tape tape;
  Outcome out{op(x), {}};
  tape.backward(
      record("projection", {out.y}, Tensor::zeros({1}, out.y.dtype()), [&](const Tensor&) { return Grads{dy}; }));
  out.y = out.y.detached();
  for (std::size_t i = 0; i < x.size(); ++i)
    if (inputs[i].watched) {
      check(x[i].grad().defined(), "check_op: no gradient arrived at input {} of shape {}", i, x[i].shape());
      out.dx.push_back(x[i].grad());
    }
  return out;
}

inline void expect_same_bits(const std::string& what, const Outcome& a, const Outcome& b) {
  const std::vector<Tensor> x = a.all(), y = b.all();
  ASSERT_EQ(x.size(), y.size()) << what;
  for (std::size_t i = 0; i < x.size(); ++i)
    EXPECT_TRUE(same_bits(x[i], y[i])) << what << ": other bits in " << (i ? "gradient " + std::to_string(i) : "y");
}

// A slice among NaN as first argument and as dy must change no bit of the result, and nothing around the slice.
inline void check_slices(const Op& op, std::vector<Input> inputs, const Tensor& dy, const Outcome& plain, bool first) {
  const Tensor x = inputs[0].value;
  const bool number = x.dtype() != DType::i32 && x.dtype() != DType::u8;
  const Sliced wide_x = first && number && x.shape().rank() > 1 ? sliced(x) : Sliced{x, x};
  const Tensor before = wide_x.outer.clone();
  inputs[0].value = wide_x.inner;
  expect_same_bits("slices of wider tensors", run(op, inputs, dy.defined() ? sliced(dy).inner : dy), plain);
  EXPECT_TRUE(same_bits(wide_x.outer, before)) << "the operation changed its argument or what lies around it";
}

// Fresh memory holds NaN and ends in a guard zone: every number must be written, none behind the end.
inline void check_memory(const Op& op, const std::vector<Input>& inputs, const Tensor& dy, const Outcome& plain) {
  const i64 before = Pool::damaged();
  Pool::guard(true);
  expect_same_bits("memory full of NaN", run(op, inputs, dy), plain);
  Pool::guard(false);
  EXPECT_EQ(Pool::damaged(), before) << "blocks of memory were written behind their end";
}

// A replayed graph gives the bits of the eager run.
inline void check_capture(const Op& op, const std::vector<Input>& inputs, const Tensor& dy, const Outcome& plain) {
  Outcome out;
  {
    Graph graph([&] { out = run(op, inputs, dy); });
    for (int i = 0; i < 2; ++i) graph.run();
    EXPECT_TRUE(graph.captured()) << graph.why_eager();
    for (Tensor t : out.all())  // what the replay must write again; a gradient may be dy itself
      if (!dy.defined() || !t.same_storage(dy)) t.fill(std::numeric_limits<double>::quiet_NaN());
    graph.run();
    expect_same_bits("a replayed graph", out, plain);
    out = {};
  }
}

inline void check_device(const Op& op, const std::vector<Input>& inputs, const Tensor& dy, Device device,
                         const CheckOptions& options) {
  const Use use(device);
  for (const DType type : options.types) {
    SCOPED_TRACE(to_text(type) + " on " + to_text(device));
    // The reference: f64, from the numbers the narrow type can hold.
    const std::vector<Input> host = moved(inputs, type, Device::cpu());
    Tensor narrow_dy = dy;
    const Outcome want = [&] {
      const Use cpu(Device::cpu());
      if (dy.defined()) narrow_dy = dy.to(run(op, host).y.dtype());
      return run(op, moved(host, DType::f64, Device::cpu()), dy.defined() ? narrow_dy.to(DType::f64) : dy);
    }();
    const std::vector<Input> narrow = moved(host, type, device);
    if (dy.defined()) narrow_dy = narrow_dy.to(device);
    const Outcome got = run(op, narrow, narrow_dy);
    const std::vector<Tensor> a = got.all(), b = want.all();
    for (std::size_t i = 0; i < a.size(); ++i)
      expect_close(i ? "gradient " + std::to_string(i) : "value", numbers(a[i]), numbers(b[i]),
                   tolerance(type) * options.slack);
    expect_same_bits("the second run", run(op, narrow, narrow_dy), got);
    check_slices(op, narrow, narrow_dy, got, options.slices);
    check_memory(op, narrow, narrow_dy, got);
    if (device.is_cuda()) check_capture(op, narrow, narrow_dy, got);
  }
}

}  // namespace dactyl
