// One convolution on known numbers, to see whether a way to compute it is right and how fast it is. For .cu files of
// the GPU build only.
#pragma once

#ifdef __CUDACC__
#include <functional>

#include "kernels/conv_problem.h"

namespace dactyl {

class ConvTrial {
 public:
  using Run = std::function<bool(const ConvTensors&)>;  // queues the pass; false if it does not run

  // Allocates the problem's tensors on the current device and evaluates the definition.
  explicit ConvTrial(const ConvProblem& problem);

  // Runs on poisoned memory and compares. False, said on stderr, if the numbers are wrong; false if it does not run.
  bool agrees(const std::string& name, const Run& run);

  // The median of up to nine runs, fewer of long ones; of one that is clearly slower than `best` a single run. A sum
  // that is added to grows tenfold at most: no type overflows.
  double seconds(const Run& run, double best);

 private:
  double once(const Run& run);

  const ConvProblem& problem_;
  ConvTensors tensors_;
  Tensor want_;
  std::shared_ptr<CUevent_st> start_, end_;
};

}  // namespace dactyl
#endif
