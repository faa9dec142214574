// How a kernel on clusters (cluster_split.h) adds up what its threads have found, in an order that depends on nothing.
// For .cu files of the GPU build only.
#pragma once

#ifdef __CUDACC__
#include <cooperative_groups.h>

#include "kernels/clusters.h"
#include "kernels/fast/batch_norm_backward.h"
#include "kernels/fast/cluster_split.h"

namespace dactyl::fast::in_cluster {

inline constexpr int blocks = ClusterSplit::blocks, lanes = 32;
inline constexpr int most_channels = ClusterSplit::most_across * Pack<bf16>::size;  // of a group
static_assert(blocks == clusters::blocks);
static_assert(ClusterSplit::threads / lanes == blocks,
              "the sums of a block's warps and of a cluster's blocks are added alike");
static_assert(most_channels * blocks == ClusterSplit::threads, "a thread per channel and warp (or block)");

#if __CUDA_ARCH__ >= 900
__device__ inline float from_lane(float v, int mask) { return __shfl_xor_sync(~0u, v, mask); }
template <int size>
__device__ MomentsOf<size> from_lane(const MomentsOf<size>& m, int mask) {
  MomentsOf<size> other = {from_lane(m.n, mask)};
  for (int i = 0; i < size; ++i) other.mean[i] = from_lane(m.mean[i], mask);
  for (int i = 0; i < size; ++i) other.squares[i] = from_lane(m.squares[i], mask);
  return other;
}
__device__ inline Two<float> from_lane(const Two<float>& m, int mask) {
  return {from_lane(m.a, mask), from_lane(m.b, mask)};
}

template <int size>
__device__ PairsOf<size> from_lane(const PairsOf<size>& m, int mask) {
  PairsOf<size> other;
  for (int i = 0; i < size; ++i) other.v[i] = from_lane(m.v[i], mask);
  return other;
}

// The upper or lower half of the channels.
template <int size>
__device__ MomentsOf<size / 2> half_of(const MomentsOf<size>& m, bool upper) {
  MomentsOf<size / 2> half = {m.n};
  for (int i = 0; i < size / 2; ++i) half.mean[i] = upper ? m.mean[i + size / 2] : m.mean[i];
  for (int i = 0; i < size / 2; ++i) half.squares[i] = upper ? m.squares[i + size / 2] : m.squares[i];
  return half;
}
template <int size>
__device__ PairsOf<size / 2> half_of(const PairsOf<size>& m, bool upper) {
  PairsOf<size / 2> half;
  for (int i = 0; i < size / 2; ++i) half.v[i] = upper ? m.v[i + size / 2] : m.v[i];
  return half;
}

// The warp's sums: each step a lane gives half of its channels to another and takes the other's half of the rest, so
// that few sums are added twice. The lane then holds the sum of channel_of_lane.
template <template <int> class Sums>
__device__ Sums<1> fold_warp(Sums<1> sum, int mask) {
  for (; mask < lanes; mask *= 2) sum += from_lane(sum, mask);
  return sum;
}
template <template <int> class Sums, int size>
__device__ Sums<1> fold_warp(const Sums<size>& mine, int mask) {
  const bool upper = threadIdx.x & static_cast<unsigned>(mask);
  Sums<size / 2> half = half_of(mine, upper);
  half += from_lane(half_of(mine, !upper), mask);
  return fold_warp(half, 2 * mask);
}

// The sum over eight neighbouring lanes; valid in the first of them.
template <class Sum>
__device__ Sum over_eight(Sum sum) {
  for (int mask = 4; mask > 0; mask /= 2) sum += from_lane(sum, mask);
  return sum;
}

// Thread 8c + p stands for channel c of the group and part p: a warp, later a block.
__device__ inline int my_channel() { return static_cast<int>(threadIdx.x) / blocks; }
__device__ inline int my_part() { return static_cast<int>(threadIdx.x) % blocks; }

// The block's sum of my_channel, where my_part is 0.
template <template <int> class Sums, int size>
__device__ Sums<1> fold_block(const Sums<size>& mine, int across) {
  __shared__ Sums<1> of_warp[blocks][most_channels + 1];
  const int lane = static_cast<int>(threadIdx.x) % lanes, warp = static_cast<int>(threadIdx.x) / lanes;
  const Sums<1> of_lane = fold_warp(mine, across);
  if (lane < across * size) of_warp[warp][channel_of_lane(lane, across, size)] = of_lane;
  __syncthreads();
  Sums<1> sum = {};
  if (my_channel() < across * size) sum = of_warp[my_part()][my_channel()];
  return over_eight(sum);
}

// The cluster's sum of my_channel, where my_part is 0, the same bits in every block. partial: a sum per block and
// channel.
template <class Sum>
__device__ Sum fold_cluster(const cooperative_groups::cluster_group& cluster, const Sum& of_block, Sum* partial,
                            int channels) {
  const int c = my_channel();
  Sum* of_group = partial + i64{blockIdx.x / blocks} * blocks * channels;
  if (my_part() == 0 && c < channels) of_group[static_cast<int>(cluster.block_rank()) * channels + c] = of_block;
  cluster.sync();
  Sum sum = {};
  if (c < channels) sum = of_group[my_part() * channels + c];
  return over_eight(sum);
}
#endif

}  // namespace dactyl::fast::in_cluster
#endif
