// Copying and masking rows of channels, on either device.
#include "kernels/rows.h"

#include <cstring>

#include "engine/each.h"

namespace dactyl {
namespace {

template <class T>
void masked(const Tensor& dz, const Tensor& dy, const Tensor& y) {
  const i64 channels = dz.shape().channels(), dy_pitch = dy.pitch(), y_pitch = y.pitch();
  T* to = dz.data<T>();
  const T* from = dy.data<T>();
  const T* values = y.data<T>();
  each_row(dz.device(), dz.shape().rows(), channels, [=] HD(i64 r, i64 c) {
    to[r * channels + c] = compute_t<T>(values[r * y_pitch + c]) > 0 ? from[r * dy_pitch + c] : T(0.0f);
  });
}

// The same for whole packs of channels, 16 bytes per thread.
template <class T>
void masked_packs(const Tensor& dz, const Tensor& dy, const Tensor& y) {
  constexpr i64 size = Pack<T>::size;
  const i64 channels = dz.shape().channels(), dy_pitch = dy.pitch(), y_pitch = y.pitch();
  T* to = dz.data<T>();
  const T* from = dy.data<T>();
  const T* values = y.data<T>();
  each_row(dz.device(), dz.shape().rows(), channels / size, [=] HD(i64 r, i64 pack) {
    const i64 c = pack * size;
    const Pack<T> gradient = Pack<T>::load(from + r * dy_pitch + c), value = Pack<T>::load(values + r * y_pitch + c);
    relu_masked(gradient, value).store(to + r * channels + c);
  });
}

}  // namespace

void copy_rows(Tensor to, const Tensor& from) {
  if (to.device().is_cuda() || (to.is_dense() && from.is_dense())) return to.copy_from(from);
  const i64 rows = to.shape().rows(), bytes = to.shape().channels() * size_of(to.dtype());
  const i64 to_step = to.pitch() * size_of(to.dtype()), from_step = from.pitch() * size_of(from.dtype());
#pragma omp parallel for schedule(static) if (rows * bytes >= 65536)
  for (i64 r = 0; r < rows; ++r)
    std::memcpy(to.raw() + r * to_step, from.raw() + r * from_step, static_cast<std::size_t>(bytes));
  to.touch();
}

Tensor relu_masked(const Tensor& dy, const Tensor& y) {
  Tensor dz(dy.shape(), dy.dtype(), dy.device());
  const bool packs = dz.device().is_cuda() && packed(dz) && packed(dy) && packed(y);
  with_float(dy.dtype(), [&]<class T>() { packs ? masked_packs<T>(dz, dy, y) : masked<T>(dz, dy, y); });
  return dz;
}

}  // namespace dactyl
