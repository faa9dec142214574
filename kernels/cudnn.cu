// The three passes of a convolution, each by the fastest way that was found for it.
#include "kernels/cudnn.h"

#ifdef __CUDACC__

#include "kernels/conv_search.h"

namespace dactyl {
namespace {

// In 16-byte-aligned memory, as some engines read.
Tensor aligned(const Tensor& t) { return reinterpret_cast<std::uintptr_t>(t.raw()) % 16 ? t.clone() : t; }

bool run(const ConvProblem& problem, const ConvTensors& tensors) {
  if (problem.x_count() == 0 || problem.y_count() == 0) return false;
  const ConvWay* way = conv_way(problem);
  if (!way) return false;
  check(way->run(problem, tensors), "cuDNN's {} does not run the {}: {}", way->name(), problem,
        cudnn_complaint(CUDNN_STATUS_EXECUTION_FAILED));
  return true;
}

}  // namespace

// A slice is computed densely and placed by a second pass: cuDNN stores with a pitch, but at half its speed or less.
bool cudnn_conv_forward(const Tensor& x, const Tensor& w, const ConvOptions& options, Tensor y) {
  const Tensor out = y.is_dense() ? y : empty_like(y);
  const Tensor bias = options.bias.defined() ? aligned(options.bias) : Tensor();
  if (!run(conv_problem(Pass::forward, x, w, out, options), {x, w, out, bias})) return false;
  if (!y.is_dense()) y.copy_from(out);
  return true;
}

bool cudnn_conv_backward_data(const Tensor& dy, const Tensor& w, const ConvOptions& options, Tensor dx) {
  return run(conv_problem(Pass::data, dx, w, dy, options), {dx, w, dy, {}});
}

bool cudnn_conv_backward_weights(const Tensor& dy, const Tensor& x, const ConvOptions& options, Tensor dw) {
  return run(conv_problem(Pass::weights, x, dw, dy, options), {x, dw, dy, {}});
}

}  // namespace dactyl
#endif
