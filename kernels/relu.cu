// y = max(0, x)
#include "engine/each.h"
#include "kernels/ops.h"

namespace dactyl {
namespace {

struct Relu {
  template <class C>
  HD C operator()(C x) const {
    return x > 0 || x != x ? x : C(0);  // a NaN stays visible
  }
};

struct ReluGrad {
  template <class C>
  HD C operator()(C dy, C y) const {
    return y > 0 ? dy : C(0);
  }
};

}  // namespace

Tensor relu(const Tensor& x) {
  Tensor y = empty_like(x);
  map(Relu{}, y, x.dense());
  return record("relu", {x}, y, [y](const Tensor& dy) {
    Tensor dx = empty_like(dy);
    map(ReluGrad{}, dx, dy.dense(), y);
    return Grads{dx};
  });
}

}  // namespace dactyl
