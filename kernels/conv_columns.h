// A convolution as matrix products over gathered columns: general, deterministic, and fast enough where no library
// has a plan. Internal to the kernels.
#pragma once

#include "kernels/conv_problem.h"

namespace dactyl {

// With very many groups each product would be tiny; and rows are counted in 31 bits.
bool columns_fit(const ConvProblem& problem);

// The problem's pass on the current device, queued. Columns are gathered `chunk` bytes at a time (at least one row), so
// the memory needed beside the tensors is bounded: chunk, a padded copy of the weights, and for the weights' gradient
// two more, in f32 (f64 for f64). Sums are those of gemm, chunks are added in order.
void conv_by_columns(const ConvProblem& problem, const ConvTensors& tensors, i64 chunk = i64{256} << 20);

}  // namespace dactyl
