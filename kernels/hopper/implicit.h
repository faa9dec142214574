// Convolutions with stride 1 on Hopper's matrix units as implicit products of matrices (implicit GEMM): the copy engine
// gathers each tap's pixels, zeros where there is padding. Internal to the kernels.
#pragma once

#include "kernels/conv_problem.h"
#include "kernels/hopper/implicit_tile.h"

namespace dactyl::hopper {

// Whether the problem is such a convolution, in bf16, windows of up to 5 taps an extent with padding of up to half of
// them on either side, channels of groups and pitches in eights; forward, or the data gradient of an odd window with as
// much padding as makes the result as large as the input. With more than one group, sums over a multiple of 16
// channels. A question of shapes alone.
bool is_implicit(const ConvProblem& problem);

// Whether the current GPU can run it.
bool has_implicit_kernels();

// The tiles to try on the current GPU, the one that should be fastest first.
std::vector<ImplicitTile> implicit_tiles(const ConvProblem& problem);

// Queues the pass on the compute stream, by one of the tiles. Sums are in f32 in a fixed order: the bits depend on
// nothing but the problem's numbers and the tile's parts. Scratch, from the pool: a filter in the data gradient.
void implicit_conv(const ConvProblem& problem, const ConvTensors& tensors, const ImplicitTile& tile);

}  // namespace dactyl::hopper
