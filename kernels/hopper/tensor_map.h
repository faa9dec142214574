// What the copy engine is told about a tensor. For .cu files of the GPU build only.
#pragma once

#ifdef __CUDACC__
#include "engine/driver.h"
#include "kernels/hopper/implicit_shape.h"

namespace dactyl::hopper {

// The input, all groups, by runs of `places` places, 64 channels of each; zeros beyond the borders and the channels.
// x: at a multiple of 16 bytes.
CUtensorMap input_map(const ImplicitShape& shape, const void* x, int places);

// The result's gradient, all groups, by the same runs, 64 outputs of each place; zeros where a place has none and
// beyond the outputs. y: at a multiple of 16 bytes.
CUtensorMap gradient_map(const ImplicitShape& shape, const void* y, int places);

// A dense filter (groups·outs, taps, ins) by boxes of `columns` outputs and 64 channels of one tap; zeros beyond both.
CUtensorMap filter_map(const ImplicitShape& shape, const void* w, int columns);

}  // namespace dactyl::hopper
#endif
