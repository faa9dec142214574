// Hopper's copy engine and the barriers in shared memory that it reports to, one function per instruction (PTX ISA,
// "mbarrier", "cp.async.bulk.tensor"). For .cu files of the GPU build only.
//
// A barrier goes from one phase to the next when as many as it expects have arrived and all bytes that were announced
// are there. Who waits says the parity of the phase that must be over; of a new barrier phase 1 counts as over.
#pragma once

#ifdef __CUDA_ARCH_FEAT_SM90_ALL
#include <cuda.h>

#include <cstdint>

namespace dactyl::hopper {

__device__ inline void begin_barrier(unsigned barrier, int arrivals) {
  asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;\n" ::"r"(barrier), "r"(arrivals) : "memory");
}
// Begun barriers become visible to the copy engine (and, after a barrier of the block, to all).
__device__ inline void publish_barriers() {
  asm volatile("fence.mbarrier_init.release.cluster;\nfence.proxy.async.shared::cta;\n" ::: "memory");
}
__device__ inline void arrive(unsigned barrier) {
  asm volatile("mbarrier.arrive.shared::cta.b64 _, [%0];\n" ::"r"(barrier) : "memory");
}
__device__ inline void arrive_and_expect(unsigned barrier, int bytes) {
  asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;\n" ::"r"(barrier), "r"(bytes) : "memory");
}
__device__ inline void wait_for_phase(unsigned barrier, unsigned parity) {
  asm volatile(
      "{\n.reg .pred over;\nagain:\n"
      "mbarrier.try_wait.parity.shared::cta.b64 over, [%0], %1;\n"
      "@over bra done;\nbra again;\ndone:\n}\n" ::"r"(barrier),
      "r"(parity)
      : "memory");
}

__device__ inline void fetch_map(const CUtensorMap& map) {
  asm volatile("prefetch.tensormap [%0];\n" ::"l"(&map) : "memory");
}

// A box of a tensor of three extents.
__device__ inline void copy_box(unsigned to, const CUtensorMap& map, unsigned barrier, int a, int b, int c) {
  asm volatile(
      "cp.async.bulk.tensor.3d.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1, {%3, %4, %5}], [%2];\n" ::
          "r"(to),
      "l"(&map), "r"(barrier), "r"(a), "r"(b), "r"(c)
      : "memory");
}

// A run of pixels from (w, h, d, n) on, some channels of each, as one tap of a window sees them. Places are those of
// windows' first taps, so they begin at minus the padding.
__device__ inline void copy_pixels(unsigned to, const CUtensorMap& map, unsigned barrier, int channel, int w, int h,
                                   int d, int n, int tap_w, int tap_h, int tap_d) {
  asm volatile(
      "cp.async.bulk.tensor.5d.shared::cluster.global.im2col.mbarrier::complete_tx::bytes "
      "[%0], [%1, {%3, %4, %5, %6, %7}], [%2], {%8, %9, %10};\n" ::"r"(to),
      "l"(&map), "r"(barrier), "r"(channel), "r"(w), "r"(h), "r"(d), "r"(n), "h"(static_cast<std::uint16_t>(tap_w)),
      "h"(static_cast<std::uint16_t>(tap_h)), "h"(static_cast<std::uint16_t>(tap_d))
      : "memory");
}

// Of a warpgroup whose kernel says how many threads it has: how many registers each of its threads may have from now.
template <int registers>
__device__ void take_registers() {
  asm volatile("setmaxnreg.inc.sync.aligned.u32 %0;\n" ::"n"(registers));
}
template <int registers>
__device__ void give_registers() {
  asm volatile("setmaxnreg.dec.sync.aligned.u32 %0;\n" ::"n"(registers));
}

}  // namespace dactyl::hopper
#endif
