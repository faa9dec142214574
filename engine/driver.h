// The driver's functions, looked up at run time: the program also starts where there is no driver. For .cu files of the
// GPU build only.
#pragma once

#ifdef __CUDACC__
#include <cuda.h>

#include "engine/cuda.h"

namespace dactyl {

// The driver and the runtime number their errors alike.
inline void check_driver(CUresult result, const char* what) { check(static_cast<cudaError_t>(result), what); }

template <class F>
F* function_of_driver(const char* name) {
  void* found = nullptr;
  cudaDriverEntryPointQueryResult result{};
  check(cudaGetDriverEntryPointByVersion(name, &found, 12000, cudaEnableDefault, &result), name);
  check(result == cudaDriverEntryPointSuccess && found, "{}: this driver has none", name);
  return reinterpret_cast<F*>(found);
}

}  // namespace dactyl
#endif
