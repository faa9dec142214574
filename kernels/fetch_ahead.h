// Weights that set out for a GPU's L2 cache before the layer that reads them is queued.
#pragma once

#include "engine/tensor.h"

namespace dactyl {

// Queues the way of w, which is dense, into half of the L2 cache: from its beginning, as far as that goes. On a CPU
// nothing. Nobody sees any of it but the clock.
void fetch_ahead(const Tensor& w);

}  // namespace dactyl
