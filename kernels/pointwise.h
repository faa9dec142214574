// The host's convolutions of one tap and stride 1: a product of pixels and filters. f32. Internal to the kernels.
#pragma once

#include "kernels/geometry.h"

namespace dactyl {

// Whether our own product takes a convolution of these filters (O, 1…, I), all three passes of it.
bool pointwise_fits(const Shape& x, const Shape& y, const Shape& w, const ConvOptions& options);

// Host tensors of f32, dense but for y, which may be a slice. Of the options, bias and relu count.
void pointwise_forward(const Tensor& x, const Tensor& w, const ConvOptions& options, const Tensor& y, bool keep);
void pointwise_backward_data(const Tensor& dy, const Tensor& w, const Tensor& dx);
void pointwise_backward_weights(const Tensor& dy, const Tensor& x, const Tensor& dw);

}  // namespace dactyl
