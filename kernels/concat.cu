// Joining channels, and reading the same numbers in another shape.
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
