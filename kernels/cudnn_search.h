// The plan for a convolution: searched, checked and timed once, then remembered. For .cu files of the GPU build only.
#pragma once

#ifdef __CUDACC__
#include "kernels/cudnn_plan.h"

namespace dactyl {

// The plan of this problem on the current GPU, null if no plan passes (said once on stderr). The first call for a
// problem allocates, runs and waits; throws if that happens while a graph is captured. Later calls only look it up.
// Remembered per thread until the thread ends.
const Plan* conv_plan(const ConvProblem& problem);

}  // namespace dactyl
#endif
