// Kernels that begin while the one before them on the stream still runs, so that a launch costs less (CUDA,
// "programmatic dependent launch"; Hopper and later, elsewhere they follow as usual). For .cu files; internal to the
// kernels.
#pragma once

#ifdef __CUDACC__
#include "kernels/clusters.h"

namespace dactyl::early {

// By the kernel before: from here on the next may begin, as soon as all blocks have come here.
__device__ inline void let_next_begin() {
#if __CUDA_ARCH__ >= 900
  asm volatile("griddepcontrol.launch_dependents;\n" ::: "memory");
#endif
}

// By every thread of the next, before it reads what the one before wrote, and before it ends: waits for its end.
__device__ inline void wait_for_last() {
#if __CUDA_ARCH__ >= 900
  asm volatile("griddepcontrol.wait;\n" ::: "memory");
#endif
}

// Launches the next.
template <class... Parameters, class... Arguments>
void launch(void (*kernel)(Parameters...), dim3 grid, int threads, const char* what, const Arguments&... arguments) {
  cudaLaunchAttribute overlap{};
  overlap.id = cudaLaunchAttributeProgrammaticStreamSerialization;
  overlap.val.programmaticStreamSerializationAllowed = 1;
  cudaLaunchConfig_t config{};
  config.gridDim = grid;
  config.blockDim = dim3(static_cast<unsigned>(threads));
  config.stream = Context::current().compute().handle();
  config.attrs = &overlap;
  config.numAttrs = clusters::run_here(kernel, what) ? 1 : 0;
  check(cudaLaunchKernelEx(&config, kernel, arguments...), what);
}

// The same in clusters of `size` blocks (clusters.h), with so many bytes of dynamic shared memory, on a GPU that has
// them.
template <class... Parameters, class... Arguments>
void launch_clusters(int size, void (*kernel)(Parameters...), i64 count, int threads, std::size_t bytes,
                     const char* what, const Arguments&... arguments) {
  clusters::allow_most(kernel, what);
  cudaLaunchAttribute attributes[2]{};
  attributes[0].id = cudaLaunchAttributeClusterDimension;
  attributes[0].val.clusterDim = {static_cast<unsigned>(size), 1, 1};
  attributes[1].id = cudaLaunchAttributeProgrammaticStreamSerialization;
  attributes[1].val.programmaticStreamSerializationAllowed = 1;
  cudaLaunchConfig_t config{};
  config.gridDim = dim3(static_cast<unsigned>(count * size));
  config.blockDim = dim3(static_cast<unsigned>(threads));
  config.dynamicSmemBytes = bytes;
  config.stream = Context::current().compute().handle();
  config.attrs = attributes;
  config.numAttrs = 2;
  check(cudaLaunchKernelEx(&config, kernel, arguments...), what);
}

}  // namespace dactyl::early
#endif
