// Joining and splitting, and reading the same numbers in another shape.
#include "kernels/ops.h"
#include "kernels/rows.h"

namespace dactyl {
namespace {

Shape joined(const std::vector<Tensor>& parts) {
  check(!parts.empty(), "concat: no parts");
  const Tensor& first = parts.front();
  i64 channels = 0;
  for (const Tensor& part : parts) {
    check(part.shape().rank() == first.shape().rank() && part.shape().rank() >= 1 &&
              part.shape().with(-1, 0) == first.shape().with(-1, 0),
          "concat: {} and {} differ in more than their channels", first.shape(), part.shape());
    check(part.dtype() == first.dtype() && part.device() == first.device(), "concat: {} on {} and {} on {}",
          first.dtype(), first.device(), part.dtype(), part.device());
    channels += part.shape().channels();
  }
  return first.shape().with(-1, channels);
}

// Whether the parts are slices of one tensor, side by side in their order.
bool neighbours(const std::vector<Tensor>& parts, i64 channels) {
  const std::byte* next = parts.front().raw();
  for (const Tensor& part : parts) {
    if (!part.same_storage(parts.front()) || part.pitch() != parts.front().pitch() || part.raw() != next) return false;
    next += part.shape().channels() * size_of(part.dtype());
  }
  return parts.front().pitch() >= channels;
}

}  // namespace

Tensor concat(const std::vector<Tensor>& parts) {
  const Shape shape = joined(parts);
  const bool in_place = neighbours(parts, shape.channels());
  Tensor y =
      in_place ? parts.front().widened(shape.channels()) : Tensor(shape, parts.front().dtype(), parts.front().device());
  std::vector<i64> first, width;
  i64 at = 0;
  for (const Tensor& part : parts) {
    first.push_back(at);
    width.push_back(part.shape().channels());
    if (!in_place) copy_rows(y.slice(first.back(), width.back()), part);
    at += width.back();
  }
  return record("concat", parts, y, [first, width](const Tensor& dy) {
    Grads grads;
    for (std::size_t i = 0; i < first.size(); ++i) grads.push_back(dy.slice(first[i], width[i]));
    return grads;
  });
}

namespace {

// The gradient of a tensor that was split: its parts' gradients gather in slices of it.
struct Split {
  Tensor x;  // shape, type and device; then the gradient
  std::vector<i64> first, width;
  std::vector<std::weak_ptr<Slot>> parts;
  std::vector<bool> back;  // parts that came back with a gradient; their slots may be gone
  bool made = false;

  Tensor slice(std::size_t i) {
    if (!std::exchange(made, true)) x = empty_like(x);
    return x.slice(first[i], width[i]);
  }
  // Parts come back last first; when the first of those that have a gradient does, the gradient is complete.
  Tensor complete(std::size_t part) {
    back[part] = true;
    for (std::size_t i = 0; i < part; ++i)
      if (const auto slot = parts[i].lock(); slot && slot->filled) return {};
    for (std::size_t i = 0; i < parts.size(); ++i)
      if (!back[i]) slice(i).fill(0);
    return x;
  }
};

// Whether the parts lie one after the other in one storage.
bool follow_each_other(const std::vector<Tensor>& parts) {
  const std::byte* next = parts.front().raw();
  for (const Tensor& part : parts) {
    if (!part.same_storage(parts.front()) || part.raw() != next) return false;
    next += part.bytes();
  }
  return true;
}

Tensor lengthened_to(const std::vector<Tensor>& parts, i64 entries) {
  return follow_each_other(parts) ? parts.front().lengthened(entries) : Tensor();
}

// Where the parts' gradients follow each other, the whole's gathers there.
Tensor place_of_all(const std::vector<std::shared_ptr<Slot>>& slots, i64 entries) {
  std::vector<Tensor> places;
  for (const auto& slot : slots) {
    if (!slot || !slot->owned || slot->filled) return {};
    places.push_back(slot->grad);
  }
  return lengthened_to(places, entries);
}

i64 entries_of(const std::vector<Tensor>& parts) {
  check(!parts.empty(), "concat_rows: no parts");
  const Tensor& first = parts.front();
  i64 entries = 0;
  for (const Tensor& part : parts) {
    check(part.shape().rank() >= 1 && part.shape().with(0, 0) == first.shape().with(0, 0) && part.is_dense(),
          "concat_rows: {} and {} differ in more than their first extent", first.shape(), part.shape());
    check(part.dtype() == first.dtype() && part.device() == first.device(), "concat_rows: {} on {} and {} on {}",
          first.dtype(), first.device(), part.dtype(), part.device());
    entries += part.shape()[0];
  }
  return entries;
}

}  // namespace

std::vector<Tensor> split(const Tensor& x, const std::vector<i64>& widths) {
  const auto all = std::make_shared<Split>();
  all->x = x.detached();
  all->back.resize(widths.size());
  std::vector<Tensor> parts;
  i64 at = 0;
  for (std::size_t i = 0; i < widths.size(); ++i, at += widths[i - 1]) {
    all->first.push_back(at);
    all->width.push_back(widths[i]);
    parts.push_back(
        record("split", {x}, x.slice(at, widths[i]), [all, i](const Tensor&) { return Grads{all->complete(i)}; }));
    all->parts.push_back(parts.back().slot());
    if (parts.back().watched()) parts.back().slot()->place = [all, i] { return all->slice(i); };
  }
  check(at == x.shape().channels(), "split: {} channels of x {}", at, x.shape());
  return parts;
}

Tensor concat_rows(const std::vector<Tensor>& parts) {
  const i64 entries = entries_of(parts);
  const Tensor& model = parts.front();
  Tensor y = lengthened_to(parts, entries);
  const bool in_place = y.defined();
  if (!in_place) y = Tensor(model.shape().with(0, entries), model.dtype(), model.device());
  std::vector<i64> first, count;
  std::vector<std::shared_ptr<Slot>> slots;
  i64 at = 0;
  for (const Tensor& part : parts) {
    first.push_back(at);
    count.push_back(part.shape()[0]);
    slots.push_back(part.slot());
    if (!in_place) y.rows(at, count.back()).copy_from(part);
    at += count.back();
  }
  y = record("concat_rows", parts, y, [first, count](const Tensor& dy) {
    Grads grads;
    for (std::size_t i = 0; i < first.size(); ++i) grads.push_back(dy.dense().rows(first[i], count[i]));
    return grads;
  });
  if (y.watched()) y.slot()->place = [slots, entries] { return place_of_all(slots, entries); };
  return y;
}

Tensor reshape(const Tensor& x, Shape shape) {
  const Tensor y = x.dense().detached().reshaped(shape);
  return record("reshape", {x}, y, [from = x.shape()](const Tensor& dy) { return Grads{dy.dense().reshaped(from)}; });
}

Tensor flatten(const Tensor& x) {
  check(x.shape().rank() >= 1, "flatten: x {} has no batch", x.shape());
  const i64 n = x.shape()[0];
  return reshape(x, {n, n ? x.count() / n : 0});
}

}  // namespace dactyl
