// The barrier of a cluster and its shared memory, one function per instruction (PTX ISA, "barrier.cluster", "mapa").
// For .cu files of the GPU build only.
#pragma once

#ifdef __CUDA_ARCH_FEAT_SM90_ALL
namespace dactyl::hopper {

// A barrier of all threads of a cluster's blocks, wherever in the program they stand: what was written before is then
// seen by all.
__device__ inline void arrive_at_cluster() { asm volatile("barrier.cluster.arrive.release;\n" ::: "memory"); }
__device__ inline void wait_for_cluster() { asm volatile("barrier.cluster.wait.acquire;\n" ::: "memory"); }

// The same for those that have nothing to show: the release above waits for all that is under way to any memory.
__device__ inline void announce_to_cluster() { asm volatile("barrier.cluster.arrive.relaxed;\n" ::: "memory"); }

// Two numbers to a place of the shared memory of the cluster's block `rank`.
__device__ inline void store_in_block(unsigned address, int rank, float a, float b) {
  asm volatile(
      "{\n.reg .b32 there;\nmapa.shared::cluster.u32 there, %0, %1;\n"
      "st.shared::cluster.v2.f32 [there], {%2, %3};\n}\n" ::"r"(address),
      "r"(rank), "f"(a), "f"(b)
      : "memory");
}
__device__ inline float4 load_shared(unsigned address) {
  float4 v;
  asm volatile("ld.shared.v4.f32 {%0, %1, %2, %3}, [%4];\n"
               : "=f"(v.x), "=f"(v.y), "=f"(v.z), "=f"(v.w)
               : "r"(address)
               : "memory");
  return v;
}

}  // namespace dactyl::hopper
#endif
