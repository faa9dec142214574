// A linear layer, or a 1×1 convolution, of few rows: bound by reading its weights, which happens once and 16 bytes at a
// time. Sums in f32, in one order.
#pragma once

#include "kernels/conv_problem.h"

namespace dactyl::fast {

// Forward passes of one tap over 1 to 4 rows, of f32, bf16 and f16, whose rows of x and w are rows of packs.
bool few_rows_fit(const ConvProblem& problem);

// y = x wᵀ, then bias, then relu, as the problem says; queued. The problem must fit.
void few_rows(const ConvProblem& problem, const ConvData& data, Device device);

}  // namespace dactyl::fast
