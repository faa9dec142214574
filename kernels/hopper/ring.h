// Stages in shared memory that are filled by the copy engine and read by warps that multiply. For .cu files of the GPU
// build only.
#pragma once

#include "kernels/hopper/bulk.h"

#ifdef __CUDA_ARCH_FEAT_SM90_ALL
namespace dactyl::hopper {

constexpr int multiplying_warps = 8;

// A place in a ring of stages: which, and how often, mod 2, the ring was gone round. Each stage has two barriers: full
// when the copies are there, empty when all multiplying warps have read them.
template <int count, int bytes, int warps = multiplying_warps>
struct Ring {
  static constexpr int barrier_bytes = 16 * count;
  unsigned barriers, memory;
  int stage = 0;
  unsigned round = 0;

  __device__ unsigned full() const { return barriers + 16 * stage; }
  __device__ unsigned address() const { return memory + stage * bytes; }
  __device__ void next() {
    if (++stage < count) return;
    stage = 0;
    round ^= 1;
  }
  __device__ void wait_until_full() const { wait_for_phase(full(), round); }
  __device__ void wait_until_empty() const { wait_for_phase(full() + 8, round ^ 1); }
  __device__ void give_back(int s) const {
    if (threadIdx.x % 32 == 0) arrive(barriers + 16 * s + 8);
  }
  __device__ void begin() const {  // by a warp
    for (int s = static_cast<int>(threadIdx.x) % 32; s < count; s += 32) {
      begin_barrier(barriers + 16 * s, 1);
      begin_barrier(barriers + 16 * s + 8, warps);
    }
  }
};

}  // namespace dactyl::hopper
#endif
