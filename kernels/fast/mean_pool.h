// Mean-pooling by packs of 16 bytes of channels, on either device; a GPU takes it where it fits. Internal to the
// kernels.
#pragma once

#include "kernels/geometry.h"

namespace dactyl::fast {

// The bits of mean_pool's plain bodies, but for the mean of whole pictures where samples × packs are at most 4096: its
// sums have another, fixed order. So a picture's bits depend on how many share its batch. For what pools_by_packs
// (max_pool.h) says can be pooled so.
void mean_pool_forward(const Geometry&, const Tensor& x, const Tensor& y);
void mean_pool_backward(const Geometry&, const Tensor& dy, const Tensor& dx);

}  // namespace dactyl::fast
