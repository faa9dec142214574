// y = a + scale·b
#include "engine/each.h"
#include "kernels/ops.h"

namespace dactyl {
namespace {

struct AddScaled {
  double scale;
  template <class C>
  HD C operator()(C a, C b) const {
    return a + C(scale) * b;
  }
};

struct Scaled {
  double scale;
  template <class C>
  HD C operator()(C x) const {
    return C(scale) * x;
  }
};

Tensor scaled(const Tensor& x, double scale) {
  if (scale == 1) return x;
  Tensor y = empty_like(x);
  map(Scaled{scale}, y, x);
  return y;
}

}  // namespace

Tensor add(const Tensor& a, const Tensor& b, double scale) {
  check(a.shape() == b.shape() && a.dtype() == b.dtype(), "add: {} {} and {} {} do not fit", a.dtype(), a.shape(),
        b.dtype(), b.shape());
  Tensor y = empty_like(a);
  map(AddScaled{scale}, y, a.dense(), b.dense());
  return record("add", {a, b}, y, [scale](const Tensor& dy) {
    const Tensor da = dy.dense();
    return Grads{da, scaled(da, scale)};
  });
}

}  // namespace dactyl
