// Stems on Hopper's matrix units: convolutions of 7×7 with stride 2 over pictures of 3 or 2 channels, with up to 7 taps
// along the depth, to 64 channels. Internal to the kernels.
#pragma once

#include "kernels/conv_problem.h"

namespace dactyl::hopper {

// Whether the problem is such a stem, in bf16, and one of the passes forward and weights. A question of shapes alone.
bool is_stem(const ConvProblem& problem);

// Whether the current GPU can run it.
bool has_stem_kernels();

// Queues the pass on the compute stream. A NaN or an infinity in x may also reach results whose windows end within a
// row or a pixel of it: there its weight is a zero. Scratch comes from the pool: the packed filters (at most 158 KB) or
// the partial sums (about 12 MB).
void stem_forward(const ConvProblem& problem, const ConvTensors& tensors);
void stem_weights(const ConvProblem& problem, const ConvTensors& tensors);

}  // namespace dactyl::hopper
