// What follows a convolution or a matrix product, where no library does it in the same pass. Internal to the kernels.
#pragma once

#include "engine/tensor.h"

namespace dactyl {

// y = max(0, x + bias), bias (C) and the maximum optional. x is dense and may be y; y may be a pitched slice.
void bias_relu(const Tensor& x, const Tensor& bias, bool relu, Tensor y);

}  // namespace dactyl
