// Recording operations and walking them backwards.
#include "engine/tape.h"

#include "engine/each.h"
#include "engine/reduce.h"
#include "engine/trace.h"

namespace dactyl {
namespace {

thread_local Tape* current_tape = nullptr;

template <class T>
void add_rows(Device device, i64 rows, i64 channels, T* y, const T* a, i64 a_pitch, const T* b, i64 b_pitch) {
  using C = compute_t<T>;
  each(device, rows * channels, [=] HD(i64 i) {
    const i64 r = i / channels, c = i % channels;
    y[i] = T(C(a[r * a_pitch + c]) + C(b[r * b_pitch + c]));
  });
}

void add_gradients(const Tensor& sum, const Tensor& a, const Tensor& b) {
  const i64 rows = sum.shape().rows(), channels = sum.shape().channels();
  with_float(sum.dtype(), [&]<class T>() {
    add_rows<T>(sum.device(), rows, channels, sum.data<T>(), a.data<T>(), a.pitch(), b.data<T>(), b.pitch());
  });
}

// A first contribution is kept as it is, unless the slot has a place of its own (a packed parameter); further ones are
// added, into a tensor the slot owns.
void accumulate(Slot& slot, const Tensor& contribution) {
  if (!slot.filled) {
    slot.filled = true;
    if (slot.owned)
      slot.grad.copy_from(contribution);
    else
      slot.grad = contribution;
    return;
  }
  check(slot.grad.shape() == contribution.shape(), "tape: gradients of shapes {} and {} meet", slot.grad.shape(),
        contribution.shape());
  const Tensor sum = slot.owned ? slot.grad : empty_like(slot.grad);
  add_gradients(sum, slot.grad, contribution);
  slot.grad = sum;
  slot.owned = true;
}

template <class T>
void count_bad(const Tensor& x, float* bad) {
  const T* numbers = x.data<T>();
  const i64 channels = x.shape().channels(), pitch = x.pitch();
  fold_rows<float>(
      x.device(), 1, x.count(),
      [=] HD(i64, i64 i) {
        const float v = static_cast<float>(numbers[i / channels * pitch + i % channels]);
        return v - v == 0 ? 0.0f : 1.0f;
      },
      [=] HD(i64, float sum) { *bad = sum; });
}

void require_finite(const char* name, const std::string& where, const Tensor& y, const char* what) {
  if (!y.defined() || y.dtype() == DType::i32 || y.dtype() == DType::u8 || y.count() == 0) return;
  Tensor bad({1}, DType::f32, y.device());
  with_float(y.dtype(), [&]<class T>() { count_bad<T>(y, bad.data<float>()); });
  const double count = bad.item();
  check(Exit::numerics, count == 0, "{}{}: {} of the {} numbers of its {} {} are NaN or infinite", name,
        where.empty() ? "" : " in " + where, count, y.count(), what, y.shape());
}

void inspect(const char* name, const Tensor& y) {
  Context& context = Context::current();
  if (context.check_finite) require_finite(name, Range::path(), y, "result");
  if (!context.strict) return;
  try {
    context.compute().synchronize();
  } catch (const Error& error) {
    throw Error(error.exit(), std::string(name) + ": " + error.what());
  }
}

}  // namespace

Tape::Tape() {
  check(current_tape == nullptr, "tape: another tape is alive in this thread");
  current_tape = this;
}

Tape::~Tape() { current_tape = nullptr; }

Tape* Tape::current() { return current_tape; }

bool recording(const std::vector<Tensor>& inputs) {
  if (!current_tape) return false;
  for (const Tensor& x : inputs)
    if (x.watched()) return true;
  return false;
}

Tensor record(const char* name, const std::vector<Tensor>& inputs, Tensor y, Backward backward) {
  inspect(name, y);
  Operation traced = trace_done(name);
  if (!recording(inputs)) return y;
  traced.backward = true;
  Tape::Node node{name, {}, std::make_shared<Slot>(), std::move(backward), {}, std::move(traced)};
  if (Context::current().check_finite) node.where = Range::path();
  for (const Tensor& x : inputs) {
    node.inputs.push_back(x.slot());
    if (x.slot()) ++x.slot()->pending;
  }
  y.set_slot(node.output);
  current_tape->nodes_.push_back(std::move(node));
  return y;
}

void Tape::backward(const Tensor& loss, const Ready& ready) {
  check(loss.count() == 1, "backward: the loss has shape {}, one number is needed", loss.shape());
  check(loss.watched(), "backward: the loss depends on no watched tensor");
  current_tape = nullptr;  // derivatives are not recorded
  Tensor one(loss.shape(), loss.dtype(), loss.device());
  one.fill(1);
  accumulate(*loss.slot(), one);
  while (!nodes_.empty()) {
    Node node = std::move(nodes_.back());
    nodes_.pop_back();
    Grads grads;
    if (node.output->filled) {
      grads = node.backward(node.output->grad);
      check(grads.size() == node.inputs.size(), "{}: {} gradients for {} inputs", node.name, grads.size(),
            node.inputs.size());
      for (const Tensor& g : grads)
        if (Context::current().check_finite) require_finite(node.name, node.where, g, "gradient");
    }
    node.backward = nullptr;
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      const auto& slot = node.inputs[i];
      if (!slot) continue;
      if (!grads.empty() && grads[i].defined()) accumulate(*slot, grads[i]);
      if (--slot->pending == 0 && slot->leaf && ready) ready(*slot);
    }
    if (!grads.empty()) trace_done(node.traced);
  }
}

}  // namespace dactyl
