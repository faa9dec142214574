// Recording operations and walking them backwards.
#include "engine/tape.h"

#include <algorithm>
#include <utility>

#include "engine/each.h"
#include "engine/reduce.h"
#include "engine/trace.h"

namespace dactyl {
namespace {

thread_local Tape* current_tape = nullptr;

struct Total {
  template <class C, class... More>
  HD C operator()(C first, More... more) const {
    return (first + ... + more);
  }
};

constexpr std::size_t most_waiting = 3;  // beside the first: a map reads four tensors

// One pass over what has arrived instead of one for each: a tensor that four branches read gets four contributions.
void add_some(Slot& slot) {
  const Tensor first = slot.grad.dense();
  const bool in_place = slot.owned && slot.grad.is_dense();
  const Tensor sum = in_place ? slot.grad : empty_like(first);
  std::vector<Tensor> x;
  const auto end = slot.more.begin() + static_cast<std::ptrdiff_t>(std::min(slot.more.size(), most_waiting));
  for (auto m = slot.more.begin(); m != end; ++m) x.push_back(m->dense());
  slot.more.erase(slot.more.begin(), end);
  if (x.size() == 1) map(Total{}, sum, first, x[0]);
  if (x.size() == 2) map(Total{}, sum, first, x[0], x[1]);
  if (x.size() == 3) map(Total{}, sum, first, x[0], x[1], x[2]);
  if (slot.owned && !in_place)
    slot.grad.copy_from(sum);
  else
    slot.grad = sum;
  slot.owned = true;
}

void add_waiting(Slot& slot) {
  while (!slot.more.empty()) add_some(slot);
}

// Whether a first contribution has a place of its own.
bool has_place(Slot& slot) {
  if (slot.filled) return false;
  if (slot.place) {
    const Tensor place = std::exchange(slot.place, {})();
    if (place.defined()) slot.grad = place;
    slot.owned |= place.defined();
  }
  return slot.owned;
}

// A first contribution is kept as it is, unless the slot has a place of its own (a packed parameter); further ones wait
// to be added together: at the latest when the gradient is read, since they may come from branches side by side.
void accumulate(Slot& slot, const Tensor& contribution) {
  if (!slot.filled) {
    const bool in_place = has_place(slot);
    slot.filled = true;
    if (!in_place)
      slot.grad = contribution;
    else if (slot.grad.raw() != contribution.raw())
      slot.grad.copy_from(contribution);
    return;
  }
  if (std::exchange(slot.offered, false) && slot.grad.raw() == contribution.raw()) return;
  check(slot.grad.shape() == contribution.shape() && slot.grad.dtype() == contribution.dtype(),
        "tape: gradients {} {} and {} {} meet", slot.grad.dtype(), slot.grad.shape(), contribution.dtype(),
        contribution.shape());
  slot.more.push_back(contribution);
  if (slot.more.size() >= most_waiting && Fork::here() == Branch{}) add_waiting(slot);
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
  Tape::Node node{name, {}, std::make_shared<Slot>(), std::move(backward), {}, std::move(traced), Fork::here()};
  if (Context::current().check_finite) node.where = Range::path();
  for (const Tensor& x : inputs) {
    node.inputs.push_back(x.slot());
    if (x.slot()) ++x.slot()->pending;
  }
  y.set_slot(node.output);
  current_tape->nodes_.push_back(std::move(node));
  return y;
}

Tensor place_of_gradient(const std::shared_ptr<Slot>& slot, const Shape& shape, DType type, Device device) {
  const bool there = slot && has_place(*slot);
  return there && slot->grad.dtype() == type && slot->grad.shape() == shape ? slot->grad : Tensor(shape, type, device);
}

Tensor gradient_of(Slot& slot) {
  add_waiting(slot);
  return slot.grad;
}

// Where something waits no pass would be saved: it had to be added first. Within a branch others may be writing, and
// what a branch has put aside may still be reading; outside, the streams have met. Nothing here asks whether they ran
// side by side, so that a captured step does the arithmetic of an eager one.
Tensor sum_to_add_to(const std::shared_ptr<Slot>& slot, const Shape& shape, DType type, Device device) {
  if (!slot || !slot->filled || !slot->more.empty() || Fork::here() != Branch{}) return {};
  const Tensor& sum = slot->grad;
  const bool alone = slot->owned || !sum.shares_storage();
  const bool fits = sum.shape() == shape && sum.dtype() == type && sum.device() == device && sum.is_dense();
  slot->offered = alone && fits;
  return slot->offered ? sum : Tensor();
}

Saved::Saved(const Tensor& x) : shape_(x.shape()), type_(x.dtype()), device_(x.device()) {
  if (Context::current().recompute && x.slot()) again_ = x.slot()->again;
  if (!again_) x_ = x.detached();
}

Tensor Saved::numbers() const {
  if (!again_) return x_;
  const Tensor x(shape_, type_, device_);
  again_(x);
  return x;
}

void Tape::backward(const Tensor& loss, const Ready& ready) {
  check(loss.count() == 1, "backward: the loss has shape {}, one number is needed", loss.shape());
  check(loss.watched(), "backward: the loss depends on no watched tensor");
  current_tape = nullptr;  // derivatives are not recorded
  ready_ = ready;
  Tensor one(loss.shape(), loss.dtype(), loss.device());
  one.fill(1);
  accumulate(*loss.slot(), one);
  while (!nodes_.empty()) {
    nodes_.back().branch.fork ? walk_branches() : walk_back();
    complete();
  }
}

void Tape::walk_branches() {
  Fork fork;
  for (const int which = nodes_.back().branch.fork; !nodes_.empty() && nodes_.back().branch.fork == which;)
    fork([&] {
      for (const Branch branch = nodes_.back().branch; !nodes_.empty() && nodes_.back().branch == branch;) walk_back();
    });
}

void Tape::walk_back() {
  Node node = std::move(nodes_.back());
  nodes_.pop_back();
  Grads grads;
  if (node.output->filled) {
    grads = node.backward(gradient_of(*node.output));
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
    if (--slot->pending == 0 && slot->leaf) completed_.push_back(slot);
  }
  if (!grads.empty()) trace_done(node.traced);
}

// Not before branches have met: the last of them need not be the last to be computed.
void Tape::complete() {
  for (const auto& slot : std::exchange(completed_, {})) {
    add_waiting(*slot);
    if (ready_) ready_(*slot);
  }
}

}  // namespace dactyl
