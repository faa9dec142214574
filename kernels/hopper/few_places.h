// Convolutions with few results, those of a single picture above all, by the matrix instructions of a warp (mma.sync):
// such a product is over before the copy engine and a warpgroup's instructions are under way. Internal to the kernels.
#pragma once

#include "kernels/hopper/few_places_tile.h"

namespace dactyl::hopper {

// Whether the problem is such a convolution: forward, bf16, any window, stride and padding, a group's channels of x and
// of y and the pitch of y in eights; with at most 2²⁰ results. A question of
// shapes alone.
bool is_few_places(const ConvProblem& problem);

// The tiles to try on the current GPU, the one that should be fastest first; none if it cannot run them.
std::vector<FewPlacesTile> few_places_tiles(const ConvProblem& problem);

// Queues the pass on the compute stream, by one of the tiles. Sums are in f32 in a fixed order: the bits depend on
// nothing but the problem's numbers and the tile's parts.
void few_places(const ConvProblem& problem, const ConvTensors& tensors, const FewPlacesTile& tile);

}  // namespace dactyl::hopper
