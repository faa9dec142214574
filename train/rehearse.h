// What a training does before its first step, to find its faults early.
#pragma once

#include "train/trainer.h"

namespace dactyl {

// Checks the options, opens the data, divides it, and pours the weights into the net for it, all on the CPU and without
// leaving anything behind. Returns what the weights say of themselves; empty where they say nothing or there are none.
// Throws what train() would.
Passport rehearse(const TrainOptions& options);

}  // namespace dactyl
