// Fills of memory in a captured graph. For .cu files of the GPU build only; internal to the engine.
#pragma once

#ifdef __CUDACC__
#include <cuda_runtime.h>

namespace dactyl {

// Makes kernels of the graph's small fills. Between kernels, a fill of a few bytes costs a graph some 8 µs (H100, driver
// 580), a kernel one: libraries clear counters before many a product. Throws as check() does.
void fill_by_kernels(cudaGraph_t graph);

}  // namespace dactyl
#endif
