// The three passes of a convolution, run by plans.
#include "kernels/cudnn.h"

#ifdef __CUDACC__

#include "kernels/bias_relu.h"
#include "kernels/cudnn_search.h"

namespace dactyl {
namespace {

// In 16-byte-aligned memory, as some engines read.
Tensor aligned(const Tensor& t) { return reinterpret_cast<std::uintptr_t>(t.raw()) % 16 ? t.clone() : t; }

bool run(const ConvProblem& problem, const ConvData& data) {
  if (problem.x_count() == 0 || problem.y_count() == 0) return false;
  const Plan* plan = conv_plan(problem);
  if (!plan) return false;
  Context& context = Context::current();
  check(run_plan(*plan, context.cudnn(), problem, data, context.workspace(plan->workspace)),
        "cuDNN's {} does not run the {}: {}", plan->name, problem, cudnn_complaint(CUDNN_STATUS_EXECUTION_FAILED));
  return true;
}

}  // namespace

// A slice is computed densely and placed by a second pass: cuDNN stores with a pitch, but at half its speed or less.
bool cudnn_conv_forward(const Tensor& x, const Tensor& w, const ConvOptions& options, Tensor y) {
  const Tensor out = y.is_dense() ? y : empty_like(y);
  const Tensor bias = options.bias.defined() ? aligned(options.bias) : Tensor();
  ConvProblem problem = conv_problem(Pass::forward, x, w, out, options);
  const ConvData data{x.raw(), w.raw(), out.raw(), bias.defined() ? bias.raw() : nullptr};
  if (run(problem, data)) {
    if (!y.is_dense()) y.copy_from(out);
    return true;
  }
  if (!problem.bias && !problem.relu) return false;
  problem.bias = problem.relu = false;
  if (!run(problem, data)) return false;
  bias_relu(out, bias, options.relu, y);
  return true;
}

bool cudnn_conv_backward_data(const Tensor& dy, const Tensor& w, const ConvOptions& options, Tensor dx) {
  return run(conv_problem(Pass::data, dx, w, dy, options), {dx.raw(), w.raw(), dy.raw()});
}

bool cudnn_conv_backward_weights(const Tensor& dy, const Tensor& x, const ConvOptions& options, Tensor dw) {
  return run(conv_problem(Pass::weights, x, dw, dy, options), {x.raw(), dw.raw(), dy.raw()});
}

}  // namespace dactyl
#endif
