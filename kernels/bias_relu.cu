// One pass over rows of channels.
#include "kernels/bias_relu.h"

#include "engine/each.h"

namespace dactyl {
namespace {

template <class T>
void bias_relu_typed(const Tensor& from, const Tensor& bias, bool relu, const Tensor& y) {
  using C = compute_t<T>;
  const T *x = from.data<T>(), *b = bias.defined() ? bias.data<T>() : nullptr;
  T* to = y.data<T>();
  const i64 channels = y.shape().channels(), pitch = y.pitch();
  each_row(y.device(), y.shape().rows(), channels, [=] HD(i64 r, i64 c) {
    const C sum = C(x[r * channels + c]) + (b ? C(b[c]) : C(0));
    to[r * pitch + c] = T(relu && sum < 0 ? C(0) : sum);
  });
}

}  // namespace

void bias_relu(const Tensor& x, const Tensor& bias, bool relu, Tensor y) {
  check(x.is_dense() && x.shape() == y.shape(), "bias_relu: {} into {}", x.shape(), y.shape());
  with_float(y.dtype(), [&]<class T>() { bias_relu_typed<T>(x, bias, relu, y); });
}

}  // namespace dactyl
