// Finds a net's convolution plans before they are needed.
#pragma once

#include "nets/nets.h"

namespace dactyl {

struct TuneOptions {
  i64 batch = 32;
  DType dtype = DType::f32;  // of activations; tf32 is the context's
  bool training = false;     // the passes of a training step as well
};

struct TuneResult {
  i64 searched = 0, remembered = 0;   // problems tried now, and found in the file
  i64 without = 0;                    // of both, those that no library computes
  double seconds = 0, searching = 0;  // all of it, and what the search took
};

// Runs the net once over zeros on the current device, with a progress bar; every shape it meets is then in the file of
// plans. The model's values change: it is of no further use. Nothing happens on the CPU, which has no plans.
TuneResult tune(Model& model, const TuneOptions& options);

}  // namespace dactyl
