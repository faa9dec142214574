// Normalisation and the max pool behind it in one pass each way, by packs of 16 bytes of channels, on either device; a
// GPU takes it where it fits. Internal to the kernels.
#pragma once

#include "kernels/batch_norm.h"
#include "kernels/geometry.h"

namespace dactyl::fast {

// y = max_pool(batch_norm(x)) with what a.fit holds. For the way back, of y's shape and dense, or undefined: the x that
// each window chose, and its tap, no_tap where relu stopped it.
void norm_max_pool(const NormArguments& a, const Geometry&, const Tensor& y, const Tensor& chosen, const Tensor& taps);
inline constexpr int no_tap = 255;

// dx from dy of the pool's result and the taps; of_g and of_gx summed over the windows.
void norm_max_pool_gradient(const NormArguments& a, const Geometry&, const Tensor& dy, const Tensor& taps,
                            const NormSums& sums, const Tensor& dx);

}  // namespace dactyl::fast
