// Folds rows or channels on either device, always in the same order, so that the same input gives the same bits.
#pragma once

#include <vector>

#include "engine/each.h"

namespace dactyl {

// A pair of sums folded in one pass (mean and variance, two gradients).
template <class C>
struct Two {
  C a, b;
  HD Two& operator+=(const Two& o) {
    a += o.a;
    b += o.b;
    return *this;
  }
};

#ifdef __CUDACC__
namespace detail {
inline constexpr int fold_threads = 256;

// Adds the block's values pairwise in a fixed tree; thread 0 gets the sum.
template <class C>
__device__ C block_sum(C mine) {
  __shared__ alignas(16) unsigned char bytes[sizeof(C) * fold_threads];
  C* shared = reinterpret_cast<C*>(bytes);
  shared[threadIdx.x] = mine;
  __syncthreads();
  for (int half = fold_threads / 2; half > 0; half /= 2) {
    if (threadIdx.x < half) shared[threadIdx.x] += shared[threadIdx.x + half];
    __syncthreads();
  }
  const C sum = shared[0];
  __syncthreads();
  return sum;
}

template <class C, class Load, class Store>
__global__ void fold_rows_kernel(i64 columns, Load load, Store store) {
  const i64 row = blockIdx.x;
  C sum{};
  for (i64 i = threadIdx.x; i < columns; i += fold_threads) sum += load(row, i);
  sum = block_sum(sum);
  if (threadIdx.x == 0) store(row, sum);
}

// Block (x, y): 32 neighbouring channels, slice y of the rows. 8 rows are read at a time.
template <class C, class Load>
__global__ void fold_channels_kernel(i64 rows, i64 channels, i64 slice, C* partial, Load load) {
  __shared__ alignas(16) unsigned char bytes[sizeof(C) * 256];
  C* shared = reinterpret_cast<C*>(bytes);
  const i64 c = blockIdx.x * i64{32} + threadIdx.x;
  const i64 end = min(rows, (blockIdx.y + 1) * slice);
  C sum{};
  if (c < channels)
    for (i64 r = blockIdx.y * slice + threadIdx.y; r < end; r += 8) sum += load(r, c);
  shared[threadIdx.y * 32 + threadIdx.x] = sum;
  __syncthreads();
  if (threadIdx.y != 0 || c >= channels) return;
  for (int y = 1; y < 8; ++y) sum += shared[y * 32 + threadIdx.x];
  partial[blockIdx.y * channels + c] = sum;
}
}  // namespace detail
#endif

// store(row, sum over i of load(row, i)); C is the type summed in (needs C{} == 0 and +=).
template <class C, class Load, class Store>
void fold_rows([[maybe_unused]] Device device, i64 rows, i64 columns, const Load& load, const Store& store) {
  if (rows <= 0) return;
#ifdef __CUDACC__
  if (device.is_cuda()) {
    detail::fold_rows_kernel<C>
        <<<static_cast<unsigned>(rows), detail::fold_threads, 0, Context::current().compute().handle()>>>(columns, load,
                                                                                                          store);
    check_launch("fold_rows");
    return;
  }
#endif
#pragma omp parallel for schedule(static) if (rows * columns >= 8192)
  for (i64 r = 0; r < rows; ++r) {
    C sum{};
    for (i64 i = 0; i < columns; ++i) sum += load(r, i);
    store(r, sum);
  }
}

// store(channel, sum over rows of load(row, channel)): for biases, means, variances. The rows are cut into a number
// of slices that depends on their count alone, never on the threads.
template <class C, class Load, class Store>
void fold_channels([[maybe_unused]] Device device, i64 rows, i64 channels, const Load& load, const Store& store) {
  if (channels <= 0) return;
  const i64 slices = std::max<i64>(1, std::min<i64>(device.is_cuda() ? 256 : 64, rows / 64));
  const i64 slice = (rows + slices - 1) / slices;
  Tensor scratch({slices * channels * static_cast<i64>(sizeof(C))}, DType::u8, device);
  C* partial = reinterpret_cast<C*>(scratch.raw());
#ifdef __CUDACC__
  if (device.is_cuda()) {
    const dim3 grid(static_cast<unsigned>((channels + 31) / 32), static_cast<unsigned>(slices));
    detail::fold_channels_kernel<C>
        <<<grid, dim3(32, 8), 0, Context::current().compute().handle()>>>(rows, channels, slice, partial, load);
    check_launch("fold_channels");
  }
#endif
  if (!device.is_cuda()) {
#pragma omp parallel for schedule(static) if (rows * channels >= 8192)
    for (i64 s = 0; s < slices; ++s) {
      C* sums = partial + s * channels;
      for (i64 c = 0; c < channels; ++c) sums[c] = C{};
      for (i64 r = s * slice; r < std::min(rows, (s + 1) * slice); ++r)
        for (i64 c = 0; c < channels; ++c) sums[c] += load(r, c);
    }
  }
  each(device, channels, [=] HD(i64 c) {
    C sum{};
    for (i64 s = 0; s < slices; ++s) sum += partial[s * channels + c];
    store(c, sum);
  });
}

}  // namespace dactyl
