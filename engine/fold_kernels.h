// The GPU half of reduce.h: how a block folds a row, and how a grid folds channels.
#pragma once

#include "engine/each.h"

namespace dactyl {

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

}  // namespace dactyl
