// How a kernel on clusters (cluster_split.h) brings a thread's packs to shared memory. For .cu files of the GPU build
// only.
#pragma once

namespace dactyl::fast::in_cluster {

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
#endif

}  // namespace dactyl::fast::in_cluster
