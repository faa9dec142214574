// Joining and splitting, and reading the same numbers in another shape.
#include <algorithm>

#include "kernels/ops.h"
#include "kernels/rows.h"

namespace dactyl {
namespace {

// What the parts have together along their first or last extent; in all else they must agree.
i64 joined(const char* name, const std::vector<Tensor>& parts, int along) {
  check(!parts.empty(), "{}: no parts", name);
  const Tensor& first = parts.front();
  i64 together = 0;
  for (const Tensor& part : parts) {
    check(part.shape().rank() == first.shape().rank() && part.shape().rank() >= 1 &&
              part.shape().with(along, 0) == first.shape().with(along, 0),
          "{}: {} and {} differ in more than their {}", name, first.shape(), part.shape(),
          along == 0 ? "first extent" : "channels");
    check(part.dtype() == first.dtype() && part.device() == first.device(), "{}: {} on {} and {} on {}", name,
          first.dtype(), first.device(), part.dtype(), part.device());
    together += along == 0 ? part.shape()[0] : part.shape().channels();
  }
  return together;
}

// Whether each part begins where the one before ends: after its channels, or after its last number.
bool follow_each_other(const std::vector<Tensor>& parts, int along) {
  const Tensor& first = parts.front();
  const std::byte* next = first.raw();
  for (const Tensor& part : parts) {
    if (!part.same_storage(first) || part.pitch() != first.pitch() || part.raw() != next) return false;
    next += along == 0 ? part.bytes() : part.shape().channels() * size_of(part.dtype());
  }
  return true;
}

// Each part computed again into its slice.
std::function<void(const Tensor&)> each_again(const std::vector<Tensor>& parts, const std::vector<i64>& first,
                                              const std::vector<i64>& width) {
  std::vector<std::function<void(const Tensor&)>> again;
  for (const Tensor& part : parts) again.push_back(part.slot()->again);
  return [again, first, width](const Tensor& into) {
    for (std::size_t i = 0; i < again.size(); ++i) again[i](into.slice(first[i], width[i]));
  };
}

}  // namespace

Tensor concat(const std::vector<Tensor>& parts) {
  const i64 channels = joined("concat", parts, -1);
  const Tensor& model = parts.front();
  const bool in_place = follow_each_other(parts, -1) && model.pitch() >= channels;
  Tensor y =
      in_place ? model.widened(channels) : Tensor(model.shape().with(-1, channels), model.dtype(), model.device());
  std::vector<i64> first, width;
  i64 at = 0;
  for (const Tensor& part : parts) {
    first.push_back(at);
    width.push_back(part.shape().channels());
    if (!in_place) copy_rows(y.slice(first.back(), width.back()), part);
    at += width.back();
  }
  y = record("concat", parts, y, [first, width](const Tensor& dy) {
    Grads grads;
    for (std::size_t i = 0; i < first.size(); ++i) grads.push_back(dy.slice(first[i], width[i]));
    return grads;
  });
  const bool again =
      std::all_of(parts.begin(), parts.end(), [](const Tensor& p) { return p.slot() && p.slot()->again; });
  if (y.watched() && again) y.slot()->again = each_again(parts, first, width);
  return y;
}

namespace {

// The gradient of a tensor that was split: its parts' gradients gather in slices of it.
struct Split {
  Shape shape;
  DType type;
  Device device;
  Tensor grad;  // made when the first part asks for its place
  std::vector<i64> first, width;
  std::vector<std::weak_ptr<Slot>> parts;
  std::vector<bool> back;  // parts that came back with a gradient; their slots may be gone

  Tensor slice(std::size_t i) {
    if (!grad.defined()) grad = Tensor(shape, type, device);
    return grad.slice(first[i], width[i]);
  }
  // Parts come back last first; when the first of those that have a gradient does, the gradient is complete.
  Tensor complete(std::size_t part) {
    back[part] = true;
    for (std::size_t i = 0; i < part; ++i)
      if (const auto slot = parts[i].lock(); slot && slot->filled) return {};
    for (std::size_t i = 0; i < parts.size(); ++i)
      if (!back[i]) slice(i).fill(0);
    return grad;
  }
};

Tensor lengthened_to(const std::vector<Tensor>& parts, i64 entries) {
  return follow_each_other(parts, 0) ? parts.front().lengthened(entries) : Tensor();
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

}  // namespace

std::vector<Tensor> split(const Tensor& x, const std::vector<i64>& widths) {
  const auto all = std::make_shared<Split>(Split{x.shape(), x.dtype(), x.device(), {}, {}, {}, {}, {}});
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
  const i64 entries = joined("concat_rows", parts, 0);
  const Tensor& model = parts.front();
  for (const Tensor& part : parts) check(part.is_dense(), "concat_rows: {} is a slice of a wider tensor", part.shape());
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
