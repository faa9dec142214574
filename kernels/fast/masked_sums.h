// The gradients of a bias and of relu behind it on a GPU, in one pass over packs of 16 bytes; without CUDA there is
// none. Internal to the kernels.
#pragma once

#include "engine/tensor.h"

namespace dactyl::fast {

// Whether dy and y (undefined without relu) lie so that a GPU can take whole packs of channels.
bool sums_by_packs(const Tensor& dy, const Tensor& y);

// dz (dense) = dy where y > 0, else 0; db (C, of the same type) = Σ dz over the rows, added up in f32.
void mask_and_sum(const Tensor& dy, const Tensor& y, const Tensor& dz, const Tensor& db);
void sum_channels(const Tensor& dy, const Tensor& db);  // db = Σ dy

}  // namespace dactyl::fast
