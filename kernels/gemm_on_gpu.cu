// A matrix product as a pass of a convolution whose pictures are single pixels.
#include "kernels/gemm.h"

#ifdef __CUDACC__

#include "kernels/bias_relu.h"
#include "kernels/cudnn.h"

namespace dactyl {
namespace {

Tensor pixels(const Tensor& matrix) { return matrix.reshaped({matrix.shape()[0], 1, 1, matrix.shape()[1]}); }

// c = a bᵀ is the forward pass with weights b, c = a b the data's gradient with weights b, c = aᵀ b the weights'.
bool product(const Tensor& c, const Tensor& a, bool transpose_a, const Tensor& b, const ConvOptions& options) {
  if (transpose_a) return cudnn_conv_backward_weights(pixels(a), pixels(b), options, pixels(c));
  return cudnn_conv_backward_data(pixels(a), pixels(b), options, pixels(c));
}

}  // namespace

bool gemm_on_gpu(Tensor c, const Tensor& a, bool transpose_a, const Tensor& b, bool transpose_b, const Tensor& bias,
                 bool relu) {
  if (transpose_a && transpose_b) return false;
  const ConvOptions forward{.window = square(1), .bias = bias, .relu = relu}, gradient{.window = square(1)};
  if (transpose_b) return cudnn_conv_forward(pixels(a), pixels(b), forward, pixels(c));
  if (!product(c, a, transpose_a, b, gradient)) return false;
  if (bias.defined() || relu) bias_relu(c, bias, relu, c);
  return true;
}

}  // namespace dactyl
#endif
