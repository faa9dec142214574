// How a kernel on clusters (cluster_split.h) adds up what its threads have found, in an order that depends on nothing.
// For .cu files of the GPU build only.
#pragma once

#ifdef __CUDACC__
#include <cooperative_groups.h>

#include "kernels/clusters.h"
#include "kernels/fast/block_sums.h"

namespace dactyl::fast::in_cluster {

inline constexpr int blocks = ClusterSplit::blocks;
static_assert(blocks == clusters::blocks);
static_assert(ClusterSplit::threads == block_threads && blocks == warps, "a cluster's blocks are added like warps");

#if __CUDA_ARCH__ >= 900
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
