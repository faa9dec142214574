// What both passes of a stem need on the host. For .cu files of the GPU build only.
#pragma once

#ifdef __CUDACC__
#include "engine/cuda.h"
#include "kernels/conv_problem.h"

namespace dactyl::hopper {

constexpr int stem_threads = 384;  // two warpgroups multiply, one stages

inline int device_attribute(cudaDeviceAttr attribute) {
  int device = 0, value = 0;
  check(cudaGetDevice(&device), "stem");
  check(cudaDeviceGetAttribute(&value, attribute, device), "stem");
  return value;
}
inline int multiprocessors() { return device_attribute(cudaDevAttrMultiProcessorCount); }

// Lets a kernel have so much shared memory.
template <class Kernel>
void allow(Kernel* kernel, int bytes) {
  check(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, bytes), "stem");
}

// Whether words can be loaded by twos.
inline bool has_wide_rows(const ConvProblem& p, const Tensor& x) {
  return reinterpret_cast<std::uintptr_t>(x.raw()) % 8 == 0 && p.in[2] * p.ins % 4 == 0 && p.low[2] % 2 == 0;
}

}  // namespace dactyl::hopper
#endif
