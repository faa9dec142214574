// A convolution as a graph of cuDNN operations. For .cu files of the GPU build only.
#pragma once

#ifdef __CUDACC__
#include "kernels/conv_problem.h"
#include "kernels/cudnn_descriptor.h"

namespace dactyl {

// The names under which a plan is given addresses.
enum ConvUid : i64 { uid_x = 1, uid_w, uid_y, uid_bias, uid_product, uid_sum };

struct ConvGraph {
  std::vector<BackendDescriptor> parts;  // tensors and operations, kept while the graph is
  BackendDescriptor graph{CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR};
};

// Convolution (forward: then bias, then relu, as the problem says) with sums in f32. Throws if cuDNN refuses it.
ConvGraph conv_graph(const ConvProblem& problem, cudnnHandle_t handle);

}  // namespace dactyl
#endif
