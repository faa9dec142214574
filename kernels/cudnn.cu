// The three passes of a convolution, each by the fastest way that was found for it.
#include "kernels/cudnn.h"

#ifdef __CUDACC__

#include "kernels/conv_product.h"
#include "kernels/conv_search.h"

namespace dactyl {
namespace {

// In 16-byte-aligned memory, as some engines read.
Tensor aligned(const Tensor& t) { return reinterpret_cast<std::uintptr_t>(t.raw()) % 16 ? t.clone() : t; }

bool run(const ConvProblem& problem, const ConvTensors& tensors) {
  if (problem.x_count() == 0 || problem.y_count() == 0) return false;
  const ConvWay* way = conv_way(problem);
  if (!way) return false;
  const bool ran = way->run(problem, tensors);
  if (!ran)
    check(false, "conv: '{}' does not run the {}: {}", way->name(), problem,
          cudnn_complaint(CUDNN_STATUS_EXECUTION_FAILED));
  return ran;
}

}  // namespace

bool cudnn_conv_forward(const Tensor& x, const Tensor& w, const ConvOptions& options, Tensor y) {
  const Tensor bias = options.bias.defined() ? aligned(options.bias) : Tensor();
  return run(conv_problem(Pass::forward, x, w, y, options), {x, w, y, bias});
}

bool cudnn_conv_backward_data(const Tensor& dy, const Tensor& w, const ConvOptions& options, Tensor dx) {
  return run(conv_problem(Pass::data, dx, w, dy, options), {dx, w, dy, {}});
}

bool cudnn_conv_add_backward_data(const Tensor& dy, const Tensor& w, const ConvOptions& options, Tensor dx) {
  ConvProblem problem = conv_problem(Pass::data, dx, w, dy, options);
  problem.adds = true;
  return as_product(problem) && run(problem, {dx, w, dy, {}});
}

bool cudnn_conv_backward_weights(const Tensor& dy, const Tensor& x, const ConvOptions& options, Tensor dw) {
  return run(conv_problem(Pass::weights, x, dw, dy, options), {x, dw, dy, {}});
}

}  // namespace dactyl
#endif
