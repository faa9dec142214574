// What follows a convolution or a matrix product, where no library does it in the same pass, and its way back. Internal
// to the kernels.
#pragma once

#include "kernels/ops.h"

namespace dactyl {

// y = max(0, x + bias), bias (C) and the maximum optional. x is dense and may be y; y may be a pitched slice.
void bias_relu(const Tensor& x, const Tensor& bias, bool relu, Tensor y);

// dy where y > 0, else 0; dense. db (C, dy's type), if it is defined, becomes its sum over all rows.
Tensor relu_gradient(const Tensor& dy, const Tensor& y, const Tensor& db, Algorithm);
void bias_gradient(const Tensor& dy, const Tensor& db, Algorithm);  // db = Σ dy over all rows

}  // namespace dactyl
