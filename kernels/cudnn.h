// Convolutions through cuDNN's graph API: one plan per shape, searched once, checked, remembered.
#pragma once

#include "kernels/ops.h"

namespace dactyl {

// All tensors lie on one GPU, in NHWC or NDHWC, of f32, bf16 or f16. The algorithm field of the options and `into` are
// ignored: results go where the last argument says. Each returns false, with nothing computed, if cuDNN has no plan
// that gives the right numbers. The first call with a shape searches; after it none waits for the GPU.

// y = w * x + b, then relu if the options say so. x and w are dense; y may be a pitched slice.
[[nodiscard]] bool cudnn_conv_forward(const Tensor& x, const Tensor& w, const ConvOptions& options, Tensor y);

// dx from dy, which is already masked by the relu; all dense.
[[nodiscard]] bool cudnn_conv_backward_data(const Tensor& dy, const Tensor& w, const ConvOptions& options, Tensor dx);

// dw from dy (already masked) and x; all dense.
[[nodiscard]] bool cudnn_conv_backward_weights(const Tensor& dy, const Tensor& x, const ConvOptions& options,
                                               Tensor dw);

}  // namespace dactyl
