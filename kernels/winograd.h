// The host's convolutions of three by three taps (any number in depth) by minimal filtering: 36 products for 16 outputs
// instead of 144, or 16 for 4 instead of 36; and of five by five, 36 for 4 instead of 100. Stride 1, f32. Internal to
// the kernels.
#pragma once

#include "kernels/geometry.h"

namespace dactyl {

// Whether a convolution of x to y with these filters should be faster so than by direct sums, by counting work; kept:
// whether the filters are transformed once.
bool winograd_pays(const Shape& x, const Shape& y, const Shape& w, const ConvOptions& options, bool kept);

// Host tensors of f32, dense but for y, which may be a slice. Of the options, window, groups, bias and relu count.
void winograd_forward(const Tensor& x, const Tensor& w, const ConvOptions& options, const Tensor& y, bool keep);
void winograd_backward_data(const Tensor& dy, const Tensor& w, const ConvOptions& options, const Tensor& dx);
void winograd_backward_weights(const Tensor& dy, const Tensor& x, const ConvOptions& options, const Tensor& dw);

}  // namespace dactyl
