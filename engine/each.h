// Runs one body for every index on either device; `map` applies a function to whole tensors.
#pragma once

#include <algorithm>
#include <utility>

#include "engine/context.h"
#include "engine/pack.h"

namespace dactyl {

#ifdef __CUDACC__
namespace detail {
template <class Body>
__global__ void each_kernel(i64 n, Body body) {
  for (i64 i = blockIdx.x * i64{blockDim.x} + threadIdx.x; i < n; i += i64{gridDim.x} * blockDim.x) body(i);
}

template <class Body>  // neighbouring threads take neighbouring channels: no division per element
__global__ void each_row_kernel(i64 rows, i64 channels, Body body) {
  for (i64 r = blockIdx.x * i64{blockDim.y} + threadIdx.y; r < rows; r += i64{gridDim.x} * blockDim.y)
    for (i64 c = threadIdx.x; c < channels; c += blockDim.x) body(r, c);
}
}  // namespace detail
#endif

void check_launch(const char* what);  // throws if the last kernel launch was refused; nothing on the CPU

// body(i) for i in [0, n), in no particular order; bodies must not depend on each other.
// nvcc's rule: an HD lambda must sit in a named function template and must not use init-captures.
template <class Body>
void each(Device device, i64 n, const Body& body) {
  if (n <= 0) return;
#ifdef __CUDACC__
  if (device.is_cuda()) {
    const i64 blocks = std::min<i64>((n + 255) / 256, 132 * 32);
    detail::each_kernel<<<static_cast<unsigned>(blocks), 256, 0, Context::current().compute().handle()>>>(n, body);
    check_launch("each");
    return;
  }
#endif
  check(!device.is_cuda(), "each: this build has no GPU code");
#pragma omp parallel for schedule(static) if (n >= 4096)
  for (i64 i = 0; i < n; ++i) body(i);
}

// body(row, channel) for all pairs, in no particular order. On the CPU the channels are the inner loop, which the
// compiler vectorises if the body lets it.
template <class Body>
void each_row(Device device, i64 rows, i64 channels, const Body& body) {
  if (rows <= 0 || channels <= 0) return;
#ifdef __CUDACC__
  if (device.is_cuda()) {
    unsigned x = 1;
    while (x < channels && x < 256) x *= 2;
    const auto blocks = static_cast<unsigned>(std::min<i64>((rows + 256 / x - 1) / (256 / x), 132 * 32));
    CUstream_st* stream = Context::current().compute().handle();
    detail::each_row_kernel<<<blocks, dim3(x, 256 / x), 0, stream>>>(rows, channels, body);
    check_launch("each_row");
    return;
  }
#endif
  check(!device.is_cuda(), "each: this build has no GPU code");
#pragma omp parallel for schedule(static) if (rows * channels >= 4096)
  for (i64 r = 0; r < rows; ++r) {
#pragma omp simd
    for (i64 c = 0; c < channels; ++c) body(r, c);
  }
}

namespace detail {
// A struct, since nvcc lets no HD lambda capture a parameter pack.
template <class F, class T, std::size_t... I>
struct MapBody {
  F f;
  T* y;
  const T* x[sizeof...(I) + 1];
  HD void operator()(i64 i) const { y[i] = T(f(compute_t<T>(x[I][i])...)); }
};

// Sixteen bytes of every tensor at once; numbers that fill no pack one by one.
template <class F, class T, std::size_t... I>
struct PackedMapBody {
  MapBody<F, T, I...> one;
  i64 n;
  HD void operator()(i64 pack) const {
    const i64 first = pack * Pack<T>::size;
    if (first + Pack<T>::size > n) {
      for (i64 i = first; i < n; ++i) one(i);
      return;
    }
    const Pack<T> x[sizeof...(I) + 1] = {Pack<T>::load(one.x[I] + first)..., {}};
    Pack<T> y;
    for (int j = 0; j < Pack<T>::size; ++j) y.v[j] = T(one.f(compute_t<T>(x[I].v[j])...));
    y.store(one.y + first);
  }
};

template <class T, class F, class... X, std::size_t... I>
void map_typed(const F& f, i64 n, Device device, std::index_sequence<I...>, T* y, const X*... x) {
  const MapBody<F, T, I...> one{f, y, {x..., nullptr}};
  if (device.is_cuda() && aligned(y) && (aligned(x) && ...))
    each(device, (n + Pack<T>::size - 1) / Pack<T>::size, PackedMapBody<F, T, I...>{one, n});
  else
    each(device, n, one);
}
}  // namespace detail

// y[i] = f(x[i]...) in y's compute type, for dense tensors of one shape and floating-point type.
template <class F, class... X>
void map(const F& f, const Tensor& y, const X&... x) {
  check(y.is_dense() && (x.is_dense() && ...), "map: needs dense tensors");
  check(((x.shape() == y.shape()) && ...), "map: shapes differ from the result's {}", y.shape());
  with_float(y.dtype(), [&]<class T>() {
    detail::map_typed<T>(f, y.count(), y.device(), std::index_sequence_for<X...>{}, y.template data<T>(),
                         x.template data<T>()...);
  });
}

}  // namespace dactyl
