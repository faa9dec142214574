// One step on a batch that is on the device: what training repeats and a benchmark times.
#pragma once

#include <functional>

#include "nets/nets.h"
#include "train/optimizer.h"

namespace dactyl {

struct StepOptions {
  CrossEntropyOptions loss;
  bool frozen_statistics = false;  // normalisation keeps its running statistics
};

// What a step works with; all of it stays at its addresses from step to step.
struct StepParts {
  std::function<Scores(Pass&)> forward;  // of the current batch
  const Tensor& labels;                  // i32 (N)
  Optimizer& optimizer;
  Random& random;
  const Tensor& counters;  // f64 (4) as count_hits has them: zeroed, then this step's
};

// Forward, loss with the side classifiers' share, backward, update, counters. Never waits for the device, so that it
// can be captured.
void training_step(const StepParts& parts, const StepOptions& options);

}  // namespace dactyl
