// y = min(max(0, x), 6)
#include "engine/each.h"
#include "kernels/ops.h"

namespace dactyl {
namespace {

struct Relu6 {
  template <class C>
  HD C operator()(C x) const {
    return x < 0 ? C(0) : x > 6 ? C(6) : x;  // a NaN stays visible
  }
};

struct Relu6Grad {
  template <class C>
  HD C operator()(C dy, C y) const {
    return y > 0 && y < 6 ? dy : C(0);
  }
};

}  // namespace

Tensor relu6(const Tensor& x) {
  Tensor y = empty_like(x);
  map(Relu6{}, y, x.dense());
  return record("relu6", {x}, y, [y](const Tensor& dy) {
    Tensor dx = empty_like(dy);
    map(Relu6Grad{}, dx, dy.dense(), y);
    return Grads{dx};
  });
}

}  // namespace dactyl
