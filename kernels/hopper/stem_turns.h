// How those who stage a stem's input and the two groups that multiply it take turns at two buffers: of each buffer and
// group, stagers and group tell each other by two barriers when it is full and when it is empty. Every wait is for
// something that all do equally often. For .cu files of the GPU build only.
#pragma once

#include "kernels/hopper/wgmma.h"

#ifdef __CUDA_ARCH_FEAT_SM90_ALL
#include "kernels/hopper/stem_stage.h"

namespace dactyl::hopper {

constexpr int of_turn = 128 + stagers;             // threads at a barrier: one group and the stagers
enum Barrier { behind = 1, full = 2, empty = 6 };  // barrier 0 is __syncthreads'
__device__ inline int barrier(Barrier b, int buffer, int group) { return b + 2 * buffer + group; }

// A group's side.
__device__ inline void wait_until_full(int buffer, int group) { wait_at<of_turn>(barrier(full, buffer, group)); }
__device__ inline void say_empty(int buffer, int group) { arrive_at<of_turn>(barrier(empty, buffer, group)); }

// The stagers' side.
__device__ inline void wait_until_empty(int buffer) {
  for (int group = 0; group < 2; ++group) wait_at<of_turn>(barrier(empty, buffer, group));
}
__device__ inline void say_full(int buffer) {
  for (int group = 0; group < 2; ++group) arrive_at<of_turn>(barrier(full, buffer, group));
}
__device__ inline void finish_turns(int slabs) {  // no barrier is left half met
  for (int last = slabs < 2 ? 0 : slabs - 2; last < slabs; ++last) wait_until_empty(last % 2);
}

}  // namespace dactyl::hopper
#endif
