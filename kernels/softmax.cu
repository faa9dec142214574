// y_i = exp(x_i) / Σ_j exp(x_j) over the last extent; dx = y·(dy − Σ dy·y)
#include "engine/reduce.h"
#include "kernels/exp_sum.h"
#include "kernels/ops.h"

namespace dactyl {
namespace {

template <class T>
void forward(const Tensor& x, const Tensor& y) {
  using C = compute_t<T>;
  const i64 rows = x.shape().rows(), columns = x.shape().channels();
  Tensor sums({rows, 2}, dtype_of<C>(), x.device());
  const T* in = x.data<T>();
  T* out = y.data<T>();
  C* of_row = sums.data<C>();  // the largest x, Σ exp(x − largest)
  fold_rows<ExpSum<C>>(
      x.device(), rows, columns,
      [=] HD(i64 r, i64 c) {
        return ExpSum<C>{C(in[r * columns + c]), 1};
      },
      [=] HD(i64 r, ExpSum<C> s) {
        of_row[2 * r] = s.largest;
        of_row[2 * r + 1] = s.sum;
      });
  each_row(x.device(), rows, columns, [=] HD(i64 r, i64 c) {
    const i64 i = r * columns + c;
    out[i] = T(std::exp(C(in[i]) - of_row[2 * r]) / of_row[2 * r + 1]);
  });
}

template <class T>
void backward(const Tensor& y, const Tensor& dy, const Tensor& dx) {
  using C = compute_t<T>;
  const i64 rows = y.shape().rows(), columns = y.shape().channels();
  Tensor dots({rows}, dtype_of<C>(), y.device());
  const T *p = y.data<T>(), *g = dy.data<T>();
  T* out = dx.data<T>();
  C* dot = dots.data<C>();
  fold_rows<C>(
      y.device(), rows, columns, [=] HD(i64 r, i64 c) { return C(p[r * columns + c]) * C(g[r * columns + c]); },
      [=] HD(i64 r, C sum) { dot[r] = sum; });
  each_row(y.device(), rows, columns, [=] HD(i64 r, i64 c) {
    const i64 i = r * columns + c;
    out[i] = T(C(p[i]) * (C(g[i]) - dot[r]));
  });
}

}  // namespace

Tensor softmax(const Tensor& x) {
  check(x.shape().rank() > 0 && x.shape().channels() > 0, "softmax: shape {} has no last extent to sum over",
        x.shape());
  Tensor y = empty_like(x);
  with_float(x.dtype(), [&]<class T>() { forward<T>(x.dense(), y); });
  return record("softmax", {x}, y, [y](const Tensor& dy) {
    Tensor dx = empty_like(y);
    with_float(y.dtype(), [&]<class T>() { backward<T>(y, dy.dense(), dx); });
    return Grads{dx};
  });
}

}  // namespace dactyl
