// How the threads of a block that work on the same channels add up what they have found, in an order that depends on
// nothing. Blocks of 256 threads; a thread has one of `across` neighbouring packs, a power of two up to 4. For .cu
// files of the GPU build only.
#pragma once

#ifdef __CUDACC__
#include "engine/pack.h"
#include "engine/reduce.h"
#include "kernels/fast/cluster_split.h"

namespace dactyl::fast {

inline constexpr int block_threads = 256, lanes = 32, warps = block_threads / lanes;
inline constexpr int most_channels = 4 * Pack<bf16>::size;  // of a block
static_assert(most_channels * warps == block_threads, "a thread per channel and warp");

// A sum for each channel of a pack.
template <class Sum, int size>
struct SumsOf {
  Sum v[size];
  __device__ SumsOf& operator+=(const SumsOf& o) {
    for (int i = 0; i < size; ++i) v[i] += o.v[i];
    return *this;
  }
};
template <int size>
using PairsOf = SumsOf<Two<float>, size>;

__device__ inline float from_lane(float v, int mask) { return __shfl_xor_sync(~0u, v, mask); }
__device__ inline Two<float> from_lane(const Two<float>& m, int mask) {
  return {from_lane(m.a, mask), from_lane(m.b, mask)};
}
template <class Sum, int size>
__device__ SumsOf<Sum, size> from_lane(const SumsOf<Sum, size>& m, int mask) {
  SumsOf<Sum, size> other;
  for (int i = 0; i < size; ++i) other.v[i] = from_lane(m.v[i], mask);
  return other;
}

// The upper or lower half of the channels.
template <class Sum, int size>
__device__ SumsOf<Sum, size / 2> half_of(const SumsOf<Sum, size>& m, bool upper) {
  SumsOf<Sum, size / 2> half;
  for (int i = 0; i < size / 2; ++i) half.v[i] = upper ? m.v[i + size / 2] : m.v[i];
  return half;
}

// The warp's sums: each step a lane gives half of its channels to another and takes the other's half of the rest, so
// that few sums are added twice. The lane then holds the sum of channel_of_lane.
template <class Sum>
__device__ SumsOf<Sum, 1> fold_warp(SumsOf<Sum, 1> sum, int mask) {
  for (; mask < lanes; mask *= 2) sum += from_lane(sum, mask);
  return sum;
}
template <class Sum, int size>
__device__ SumsOf<Sum, 1> fold_warp(const SumsOf<Sum, size>& mine, int mask) {
  const bool upper = threadIdx.x & static_cast<unsigned>(mask);
  SumsOf<Sum, size / 2> half = half_of(mine, upper);
  half += from_lane(half_of(mine, !upper), mask);
  return fold_warp(half, 2 * mask);
}

// The sum over eight neighbouring lanes; valid in the first of them.
template <class Sum>
__device__ Sum over_eight(Sum sum) {
  for (int mask = 4; mask > 0; mask /= 2) sum += from_lane(sum, mask);
  return sum;
}

// Thread 8c + p stands for channel c of the block and part p of what there is to add.
__device__ inline int my_channel() { return static_cast<int>(threadIdx.x) / warps; }
__device__ inline int my_part() { return static_cast<int>(threadIdx.x) % warps; }

// The block's sums of my_channel, where my_part is 0.
template <class Sum, int size>
__device__ Sum fold_block(const SumsOf<Sum, size>& mine, int across) {
  __shared__ Sum of_warp[warps][most_channels + 1];
  const int lane = static_cast<int>(threadIdx.x) % lanes, warp = static_cast<int>(threadIdx.x) / lanes;
  const SumsOf<Sum, 1> of_lane = fold_warp(mine, across);
  if (lane < across * size) of_warp[warp][channel_of_lane(lane, across, size)] = of_lane.v[0];
  __syncthreads();
  Sum sum = {};
  if (my_channel() < across * size) sum = of_warp[my_part()][my_channel()];
  return over_eight(sum);
}

// The sum over all `count` rows of `partial` at column my_channel, where my_part is 0; `width` columns, a power of two
// up to most_channels, of which there are `known`. All blocks that read the same get the same bits.
template <class Sum>
__device__ Sum fold_rows_of(const Sum* __restrict__ partial, int count, i64 pitch, int width, int known) {
  __shared__ Sum of_part[block_threads + block_threads / 4];
  const int c = static_cast<int>(threadIdx.x) % width, part = static_cast<int>(threadIdx.x) / width;
  const int parts = block_threads / width;
  Sum sum = {};
  if (c < known) {
#pragma unroll 4
    for (int s = part; s < count; s += parts) sum += partial[s * pitch + c];
  }
  of_part[part * (width + 1) + c] = sum;
  __syncthreads();
  Sum total = {};
  if (my_channel() < width)
    for (int p = my_part(); p < parts; p += warps) total += of_part[p * (width + 1) + my_channel()];
  return over_eight(total);
}

}  // namespace dactyl::fast
#endif
