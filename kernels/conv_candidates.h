// What there is to compute a convolution with, tried out or built by name. For .cu files of the GPU build only.
#pragma once

#ifdef __CUDACC__
#include "kernels/conv_way.h"

namespace dactyl {

struct FoundWay {
  OwnedWay way;          // null: none gives the right numbers
  double seconds = 0;    // of a run
  std::string compiled;  // way->compiled(), if what is built from it is right as well
  bool complete = true;  // no way was left out for lack of memory
};
// Allocates, runs and waits. Ways that others rest on are settled by conv_way.
FoundWay fastest_way(const ConvProblem& problem);

// The way a file names, with what the file keeps of it; null if it cannot be built here after all.
OwnedWay way_named(const ConvProblem& problem, const std::string& name, const std::string& compiled);

}  // namespace dactyl
#endif
