// The same numbers in another floating-point type, rounded to nearest.
#include "kernels/ops.h"

namespace dactyl {

Tensor cast(const Tensor& x, DType type) {
  if (type == x.dtype()) return x;
  const DType from = x.dtype();
  return record("cast", {x}, x.to(type), [from](const Tensor& dy) { return Grads{dy.to(from)}; });
}

}  // namespace dactyl
