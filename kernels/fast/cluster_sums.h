// How a kernel on clusters (cluster_split.h) brings packs to shared memory and adds up what its threads have found, in
// an order that depends on nothing. For .cu files of the GPU build only.
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
// Sixteen bytes to shared memory while the thread goes on. Copies wait in groups for the thread that asked for them.
__device__ inline void copy_pack(void* to, const void* from) {
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16;\n" ::"r"(static_cast<unsigned>(__cvta_generic_to_shared(to))),
               "l"(from)
               : "memory");
}
__device__ inline void end_group() { asm volatile("cp.async.commit_group;\n" ::: "memory"); }
template <int later>  // groups that may still be under way
__device__ void wait_for_group() {
  asm volatile("cp.async.wait_group %0;\n" ::"n"(later) : "memory");
}

inline constexpr int stages = 4;  // groups: the sums of one are added while the next are on their way

// copy(k) for all of a thread's rows, at once: nothing but shared memory bounds what is under way.
template <class Copy>
__device__ void copy_all(int count, const Copy& copy) {
  for (int s = 0; s < stages; ++s) {
    for (int k = count * s / stages; k < count * (s + 1) / stages; ++k) copy(k);
    end_group();
  }
}

// use(k) for all of a thread's rows in order, as they arrive.
template <int stage = 0, class Use>
__device__ void as_they_come(int count, const Use& use) {
  wait_for_group<stages - 1 - stage>();
  for (int k = count * stage / stages; k < count * (stage + 1) / stages; ++k) use(k);
  if constexpr (stage + 1 < stages) as_they_come<stage + 1>(count, use);
}

__device__ inline Moments from_lane(const Moments& m, int mask) {
  return {__shfl_xor_sync(~0u, m.n, mask), __shfl_xor_sync(~0u, m.mean, mask), __shfl_xor_sync(~0u, m.squares, mask)};
}
__device__ inline Two<float> from_lane(const Two<float>& m, int mask) {
  return {__shfl_xor_sync(~0u, m.a, mask), __shfl_xor_sync(~0u, m.b, mask)};
}

// The warp's sums: each step a lane gives half of its channels to another and takes the other's half of the rest, so
// that few sums are added twice. The lane then holds the sum of channel_of_lane.
template <int left, class Sum, int size>
__device__ void fold_warp(Sum (&mine)[size], int mask) {
  if constexpr (left > 1) {
    const bool upper = threadIdx.x & static_cast<unsigned>(mask);
    for (int i = 0; i < left / 2; ++i) {
      const Sum given = upper ? mine[i] : mine[i + left / 2];
      if (upper) mine[i] = mine[i + left / 2];
      mine[i] += from_lane(given, mask);
    }
    fold_warp<left / 2>(mine, 2 * mask);
  } else {
    for (; mask < lanes; mask *= 2) mine[0] += from_lane(mine[0], mask);
  }
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
template <class Sum, int size>
__device__ Sum fold_block(Sum (&mine)[size], int across) {
  __shared__ Sum of_warp[blocks][most_channels + 1];
  const int lane = static_cast<int>(threadIdx.x) % lanes, warp = static_cast<int>(threadIdx.x) / lanes;
  fold_warp<size>(mine, across);
  if (lane < across * size) of_warp[warp][channel_of_lane(lane, across, size)] = mine[0];
  __syncthreads();
  Sum sum = {};
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
