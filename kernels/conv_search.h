// The way a convolution is computed: searched, checked and timed once, then remembered in a file. For .cu files of the
// GPU build only.
#pragma once

#ifdef __CUDACC__
#include "kernels/conv_way.h"

namespace dactyl {

// The fastest way known for this problem on the current GPU, null if none passes. The first call for a problem in a
// thread builds it, from a file if an earlier search has left it there, else by a search: it allocates, runs and waits.
// Throws if that happens while a graph is captured. Later calls only look it up; ways live as long as the thread.
const ConvWay* conv_way(const ConvProblem& problem);

// While one lives in a thread, the problems it meets are parts of another one, and are settled without a word.
class PartsOfAProblem {
 public:
  PartsOfAProblem();
  ~PartsOfAProblem();
  PartsOfAProblem(const PartsOfAProblem&) = delete;
  PartsOfAProblem& operator=(const PartsOfAProblem&) = delete;
};

}  // namespace dactyl
#endif
