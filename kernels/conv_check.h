// Compares what a library computed for a convolution with its definition. Internal to the kernels.
#pragma once

#include "kernels/conv_problem.h"

namespace dactyl {

// Numbers in (−1, 1) for everything the problem's pass reads, a result that is added to included; NaN for any other
// result and what lies between the rows of one that is a slice; the same at every call.
void fill_conv(const ConvProblem& problem, const ConvData& data, Device device);

// What the result should be, summed in f64, at up to 65536 places spread over all of it (everywhere if it is smaller).
// Of a problem that adds: with what lies there now, so asked before the pass has run.
Tensor conv_samples(const ConvProblem& problem, const ConvData& data, Device device);

// ‖got − want‖ / ‖want‖ over the places of conv_samples; NaN if a number is missing, or one was written
// beside a slice. Waits for the GPU.
double conv_error(const ConvProblem& problem, const ConvData& data, const Tensor& want);

// The error that rounding to the problem's type explains.
double conv_tolerance(const ConvProblem& problem);

}  // namespace dactyl
