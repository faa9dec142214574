// Launching kernels on thread block clusters: blocks that run at the same time and have a barrier in common. Hopper and
// later. For .cu files; internal to the kernels.
#pragma once

#ifdef __CUDACC__
#include "engine/context.h"
#include "engine/cuda.h"

namespace dactyl::clusters {

inline constexpr int blocks = 8;  // of a cluster: the most that every such GPU takes

// What kernels do on their GPU, or do not: the kernel as compiled may be older than the device.
template <class Kernel>
bool run_here(Kernel* kernel, const char* what) {
  int device = 0, major = 0;
  check(cudaGetDevice(&device), what);
  check(cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, device), what);
  cudaFuncAttributes code{};
  check(cudaFuncGetAttributes(&code, kernel), what);
  return major >= 9 && code.ptxVersion >= 90;
}

// Bytes of dynamic shared memory that a block of the kernel may have on the current GPU.
template <class Kernel>
std::size_t most_shared_bytes(Kernel* kernel, const char* what) {
  int device = 0, most = 0;
  check(cudaGetDevice(&device), what);
  check(cudaDeviceGetAttribute(&most, cudaDevAttrMaxSharedMemoryPerBlockOptin, device), what);
  cudaFuncAttributes code{};
  check(cudaFuncGetAttributes(&code, kernel), what);
  return static_cast<std::size_t>(most) - code.sharedSizeBytes;
}

// Lets the kernel have them; always the most, since another thread may be about to launch it with more than this one.
template <class Kernel>
void allow_most(Kernel* kernel, const char* what) {
  check(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize,
                             static_cast<int>(most_shared_bytes(kernel, what))),
        what);
}

// `count` clusters of `size` blocks; blockIdx.x / size is the cluster's number. `bytes`: of dynamic shared memory.
template <class... Parameters, class... Arguments>
void launch_of(int size, void (*kernel)(Parameters...), i64 count, int threads, std::size_t bytes, const char* what,
               const Arguments&... arguments) {
  if (bytes > 0) allow_most(kernel, what);
  cudaLaunchAttribute cluster{};
  cluster.id = cudaLaunchAttributeClusterDimension;
  cluster.val.clusterDim = {static_cast<unsigned>(size), 1, 1};
  cudaLaunchConfig_t config{};
  config.gridDim = dim3(static_cast<unsigned>(count * size));
  config.blockDim = dim3(static_cast<unsigned>(threads));
  config.dynamicSmemBytes = bytes;
  config.stream = Context::current().compute().handle();
  config.attrs = &cluster;
  config.numAttrs = 1;
  check(cudaLaunchKernelEx(&config, kernel, arguments...), what);
}
// The same of `blocks` blocks.
template <class... Parameters, class... Arguments>
void launch(void (*kernel)(Parameters...), i64 count, int threads, std::size_t bytes, const char* what,
            const Arguments&... arguments) {
  launch_of(blocks, kernel, count, threads, bytes, what, arguments...);
}

}  // namespace dactyl::clusters
#endif
