// Convolution's fast ways on the host, all in f32; numbers of other types are widened and narrowed again. Internal to
// the kernels.
#pragma once

#include "kernels/ops.h"

namespace dactyl {

// Any of the tensors may be a slice but w, dx and dw. Of the options `into` is ignored.
void host_conv_forward(const Tensor& x, const Tensor& w, const ConvOptions& options, const Tensor& y);
void host_conv_backward_data(const Tensor& dy, const Tensor& w, const ConvOptions& options, Tensor dx);
void host_conv_backward_weights(const Tensor& dy, const Tensor& x, const ConvOptions& options, Tensor dw);

}  // namespace dactyl
