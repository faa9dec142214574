// Convolutions on the GPU: by a plan of cuDNN, or in a form of our own that ends in one or in cuBLASLt. One way per
// shape, searched once, checked against the definition, remembered in a file.
#pragma once

#include "kernels/ops.h"

namespace dactyl {

// All tensors lie on one GPU, in NHWC or NDHWC, of f32, bf16 or f16. The algorithm field of the options and `into` are
// ignored: results go where the last argument says. Each returns false, with nothing computed, if there is no way
// that gives the right numbers. The first call with a shape searches or reads; after it none waits for the GPU.

// y = w * x + b, then relu if the options say so. x and w are dense; y may be a pitched slice.
[[nodiscard]] bool cudnn_conv_forward(const Tensor& x, const Tensor& w, const ConvOptions& options, Tensor y);

// dx from dy, which is already masked by the relu; all dense.
[[nodiscard]] bool cudnn_conv_backward_data(const Tensor& dy, const Tensor& w, const ConvOptions& options, Tensor dx);

// The same, added to what dx holds. False without a search if it is no matrix product.
[[nodiscard]] bool cudnn_conv_add_backward_data(const Tensor& dy, const Tensor& w, const ConvOptions& options,
                                                Tensor dx);

// dw from dy (already masked) and x; all dense.
[[nodiscard]] bool cudnn_conv_backward_weights(const Tensor& dy, const Tensor& x, const ConvOptions& options,
                                               Tensor dw);

}  // namespace dactyl
