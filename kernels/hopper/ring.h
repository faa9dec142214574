// Stages in shared memory that are filled by the copy engine and read by warps that multiply. For .cu files of the GPU
// build only.
#pragma once

#include "kernels/hopper/bulk.h"

#ifdef __CUDA_ARCH_FEAT_SM90_ALL
namespace dactyl::hopper {

constexpr int multiplying_warps = 8;

// A place in the ring: a stage and how often, mod 2, the ring was gone round. Its two barriers per stage: full when the
// copies are there, empty when all multiplying warps have read them.
template <class S>
struct Ring {
  unsigned barriers, memory;
  int stage = 0;
  unsigned round = 0;

  __device__ unsigned full() const { return barriers + 16 * stage; }
  __device__ unsigned empty() const { return empty_of(stage); }
  __device__ unsigned empty_of(int s) const { return barriers + 16 * s + 8; }
  __device__ unsigned address() const { return memory + stage * S::bytes; }
  __device__ void next() {
    if (++stage < S::count) return;
    stage = 0;
    round ^= 1;
  }
};

template <class S>
__device__ void begin_ring(const Ring<S>& ring) {
  for (int stage = 0; stage < S::count; ++stage) {
    begin_barrier(ring.barriers + 16 * stage, 1);
    begin_barrier(ring.empty_of(stage), multiplying_warps);
  }
  publish_barriers();
}

}  // namespace dactyl::hopper
#endif
