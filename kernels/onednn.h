// oneDNN: the CPU's fast path, in the same channels-last layout. Primitives are built once per shape and thread.
#pragma once

#include "kernels/ops.h"

namespace dactyl {

bool onednn_built();  // whether this build has oneDNN; the functions below throw if not

// Host tensors of f32. x and y may not be pitched; results go where the last argument says; `algorithm` and `into` of
// the options are ignored. Weights are packed into oneDNN's own layout once and kept while they do not change
// (Tensor::stamp), unless keep_packed is false: weights in training change before they are read again.
void onednn_conv_forward(const Tensor& x, const Tensor& w, const ConvOptions& options, Tensor y, bool keep_packed);

// dx and dw from dy, which is already masked by the relu.
void onednn_conv_backward_data(const Tensor& dy, const Tensor& w, const ConvOptions& options, Tensor dx);
void onednn_conv_backward_weights(const Tensor& dy, const Tensor& x, const ConvOptions& options, Tensor dw);

// c = op(a) op(b) for dense row-major f32 matrices.
void onednn_gemm(Tensor c, const Tensor& a, bool transpose_a, const Tensor& b, bool transpose_b);

}  // namespace dactyl
