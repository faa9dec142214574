// check() for the CUDA runtime's results. For .cu files of the GPU build only.
#pragma once

#ifdef __CUDACC__
#include <cuda_runtime.h>

#include "engine/check.h"

namespace dactyl {

// Errors after which the process can no longer use the GPU; everything else is an ordinary failure.
inline bool is_sticky(cudaError_t e) {
  return e == cudaErrorIllegalAddress || e == cudaErrorLaunchFailure || e == cudaErrorHardwareStackError ||
         e == cudaErrorMisalignedAddress || e == cudaErrorIllegalInstruction || e == cudaErrorECCUncorrectable;
}

inline void check(cudaError_t result, const char* what, std::source_location where = std::source_location::current()) {
  if (result == cudaSuccess) [[likely]]
    return;
  const Exit exit = is_sticky(result) ? Exit::device_lost : Exit::failure;
  check(exit, false, Message("{}: CUDA says {} ({})", where), what, cudaGetErrorString(result),
        cudaGetErrorName(result));
}

}  // namespace dactyl
#endif
