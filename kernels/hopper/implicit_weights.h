// Weights' gradients of convolutions with stride 1 on Hopper's matrix units as implicit products of matrices (implicit
// GEMM), beside implicit.h. Internal to the kernels.
#pragma once

#include "kernels/hopper/implicit_weights_choice.h"

namespace dactyl::hopper {

// Whether the problem is such a gradient: of a convolution whose forward pass or data gradient is an implicit product,
// with an odd number of taps along the width. A question of shapes alone.
bool is_implicit_weights(const ConvProblem& problem);

// The tiles to try on the current GPU, the one that should be fastest first; has_implicit_kernels() says whether it can
// run them.
std::vector<WeightsTile> implicit_weights_tiles(const ConvProblem& problem);

// Queues the pass on the compute stream, by one of the tiles, in any number of parts up to that of its runs. Sums are
// in f32 in a fixed order: the bits depend on nothing but the problem's numbers and the tile. Scratch, from the pool: a
// filter in f32 for each part, two for each of a tile of 64 outputs. Throws where there is no such tile.
void implicit_weights(const ConvProblem& problem, const ConvTensors& tensors, const WeightsTile& tile);

}  // namespace dactyl::hopper
