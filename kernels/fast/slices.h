// Rows of packs shared out over a GPU's blocks, and sums over rows merged in a fixed order. A block takes up to 8
// neighbouring packs and a slice of the rows; a thread walks down its rows, four at a time. Slices depend on the shape
// alone. For .cu files of the GPU build only.
#pragma once

#ifdef __CUDACC__
#include "engine/each.h"

namespace dactyl::fast {

inline constexpr int threads = 256;

// How rows and packs are shared out.
struct Split {
  int rows, packs, slices, slice;
  dim3 block, grid;

  Split(const Tensor& x, int pack_size)
      : rows(static_cast<int>(x.shape().rows())), packs(static_cast<int>(x.shape().channels()) / pack_size) {
    const int across = std::min(packs, 8), down = threads / across, groups = (packs + across - 1) / across;
    slices = std::max(1, std::min(132 * 8 / groups, rows / (4 * down)));
    slice = (rows + slices - 1) / slices;
    slices = (rows + slice - 1) / slice;  // none of them empty
    block = dim3(static_cast<unsigned>(across), static_cast<unsigned>(down));
    grid = dim3(static_cast<unsigned>(groups), static_cast<unsigned>(slices));
  }
};

// A thread's part: channels from `channel`, rows from `row` to `end` in steps. last_first: blocks take the slices from
// the last to the first, so that a second pass over much data begins with what the first has left in the L2 cache.
struct Part {
  int channel, row, end, step;
  bool any;

  __device__ Part(int rows, int packs, int slice, int pack_size, bool last_first = false) {
    const int of_rows = static_cast<int>(last_first ? gridDim.y - 1 - blockIdx.y : blockIdx.y);
    const int pack = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
    channel = pack * pack_size;
    row = of_rows * slice + static_cast<int>(threadIdx.y);
    end = min(rows, (of_rows + 1) * slice);
    step = static_cast<int>(blockDim.y);
    any = pack < packs && row < end;
  }
};

// use(row, load(row)); four rows are read before the first is used.
template <class Load, class Use>
__device__ void walk(int row, int end, int step, const Load& load, const Use& use) {
  for (; row + 3 * step < end; row += 4 * step) {
    const decltype(load(row)) four[4] = {load(row), load(row + step), load(row + 2 * step), load(row + 3 * step)};
    for (int i = 0; i < 4; ++i) use(row + i * step, four[i]);
  }
  for (; row < end; row += step) use(row, load(row));
}

// Merges a block's threads of one column, pairwise in a fixed tree; those with threadIdx.y 0 get the sums.
template <class Sum, int size>
__device__ void merge(Sum (&mine)[size]) {
  __shared__ Sum all[size][threads];
  const int me = static_cast<int>(threadIdx.y * blockDim.x + threadIdx.x), down = static_cast<int>(blockDim.y);
  for (int reach = 1; reach < down; reach *= 2) {
    for (int i = 0; i < size; ++i) all[i][me] = mine[i];
    __syncthreads();
    const int other = static_cast<int>(threadIdx.y) + reach;
    if (threadIdx.y % (2 * reach) == 0 && other < down)
      for (int i = 0; i < size; ++i) mine[i] += all[i][me + reach * static_cast<int>(blockDim.x)];
    __syncthreads();
  }
}

// store(channel, what the slices hold together). Block: 4 channels, 64 of the slices at a time, so that of the most,
// 1056, a thread waits for 17.
inline constexpr int finish_channels = 4, finish_parts = threads / finish_channels;

template <class Sum, class Store>
__global__ void __launch_bounds__(threads)
    finish_kernel(int channels, int slices, const Sum* __restrict__ partial, Store store) {
  const int c = static_cast<int>(blockIdx.x * finish_channels + threadIdx.x);
  Sum sum[1] = {};
  if (c < channels) {
#pragma unroll 4
    for (int s = static_cast<int>(threadIdx.y); s < slices; s += finish_parts) sum[0] += partial[i64{s} * channels + c];
  }
  merge(sum);
  if (threadIdx.y == 0 && c < channels) store(c, sum[0]);
}

template <class Sum, class Store>
void finish(i64 channels, int slices, const Sum* partial, const Store& store) {
  const i64 blocks = (channels + finish_channels - 1) / finish_channels;
  finish_kernel<<<static_cast<unsigned>(blocks), dim3(finish_channels, finish_parts), 0,
                  Context::current().compute().handle()>>>(static_cast<int>(channels), slices, partial, store);
  check_launch("sums of slices");
}

template <class Sum>
Tensor scratch(const Split& split, const Tensor& x) {
  return Tensor({split.slices * x.shape().channels() * static_cast<i64>(sizeof(Sum))}, DType::u8, x.device());
}

}  // namespace dactyl::fast
#endif
