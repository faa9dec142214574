// One pass over rows of channels; on the way back one as well, where a GPU can take whole packs of them.
#include "kernels/bias_relu.h"

#include "engine/reduce.h"
#include "kernels/fast/masked_sums.h"
#include "kernels/rows.h"

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

template <class T>
void sum_rows(const Tensor& dys, const Tensor& dbs) {
  using C = compute_t<T>;
  const T* dy = dys.data<T>();
  T* db = dbs.data<T>();
  const i64 pitch = dys.pitch();
  fold_channels<C>(
      dys.device(), dys.shape().rows(), dys.shape().channels(), [=] HD(i64 r, i64 c) { return C(dy[r * pitch + c]); },
      [=] HD(i64 c, C sum) { db[c] = T(sum); });
}

}  // namespace

void bias_relu(const Tensor& x, const Tensor& bias, bool relu, Tensor y) {
  check(x.is_dense() && x.shape() == y.shape(), "bias_relu: {} into {}", x.shape(), y.shape());
  with_float(y.dtype(), [&]<class T>() { bias_relu_typed<T>(x, bias, relu, y); });
}

Tensor relu_gradient(const Tensor& dy, const Tensor& y, const Tensor& db, Algorithm algorithm) {
#ifdef __CUDACC__
  if (db.defined() && algorithm != Algorithm::reference && fast::sums_by_packs(dy, y)) {
    const Tensor dz(dy.shape(), dy.dtype(), dy.device());
    fast::mask_and_sum(dy, y, dz, db);
    return dz;
  }
#endif
  const Tensor dz = relu_masked(dy, y);
  if (db.defined()) bias_gradient(dz, db, algorithm);
  return dz;
}

void bias_gradient(const Tensor& dy, const Tensor& db, [[maybe_unused]] Algorithm algorithm) {
#ifdef __CUDACC__
  if (algorithm != Algorithm::reference && fast::sums_by_packs(dy, {})) return fast::sum_channels(dy, db);
#endif
  with_float(dy.dtype(), [&]<class T>() { sum_rows<T>(dy, db); });
}

}  // namespace dactyl
