// From tensors to a problem, and a problem in words.
#include "kernels/conv_problem.h"

#include <algorithm>

namespace dactyl {
namespace {

i64 alignment_of(const Tensor& t) {
  const auto address = reinterpret_cast<std::uintptr_t>(t.raw());
  return std::min<i64>(16, static_cast<i64>(address & (~address + 1)));
}

std::array<i64, 3> array_of(const i64 (&extent)[3]) { return {extent[0], extent[1], extent[2]}; }

std::string text_of(const std::array<i64, 3>& a) { return to_text(Shape{a[0], a[1], a[2]}); }

}  // namespace

ConvProblem conv_problem(Pass pass, const Tensor& x, const Tensor& w, const Tensor& y, const ConvOptions& options) {
  const Geometry g = geometry(x.shape(), y.shape(), options.window);
  const Context& context = Context::current();
  ConvProblem p;
  p.pass = pass;
  p.dtype = x.dtype();
  p.math = x.dtype() == DType::f32 ? context.math : Math::fp32;
  p.deterministic = context.deterministic;
  p.bias = pass == Pass::forward && options.bias.defined();
  p.relu = pass == Pass::forward && options.relu;
  p.batch = g.batch;
  p.groups = options.groups;
  p.ins = w.shape().channels();
  p.outs = w.shape()[0];
  p.into = y.is_dense() ? 0 : y.pitch();
  p.in = array_of(g.in), p.out = array_of(g.out), p.kernel = array_of(g.kernel), p.stride = array_of(g.stride);
  p.low = array_of(g.low), p.high = array_of(g.high);
  p.alignment = {alignment_of(x), alignment_of(w), alignment_of(y)};
  if (p.kernel[0] == 1 && p.stride[0] == 1 && p.low[0] == 0 && p.high[0] == 0) {
    p.batch *= p.in[0];
    p.in[0] = p.out[0] = 1;
  }
  return p;
}

ConvProblem dense_problem(const ConvProblem& p) {
  ConvProblem dense = p;
  dense.into = 0;
  if (p.is_slice()) dense.alignment[2] = 16;
  return dense;
}

ConvProblem without_sum(const ConvProblem& p) {
  ConvProblem plain = p;
  plain.adds = false;
  if (p.adds) plain.alignment[0] = 16;
  return plain;
}

std::string to_text(const ConvProblem& p) {
  const char* passes[] = {"forward", "data gradient", "weight gradient"};
  std::string text = std::string(passes[static_cast<int>(p.pass)]) + " of " + to_text(p.dtype);
  if (p.dtype == DType::f32 && p.math == Math::tf32) text += " (tf32)";
  text += " x " + to_text(Shape{p.batch, p.in[0], p.in[1], p.in[2], p.groups * p.ins});
  text += " w " + to_text(Shape{p.outs, p.kernel[0], p.kernel[1], p.kernel[2], p.ins});
  text += " stride " + text_of(p.stride) + " padding " + text_of(p.low) + text_of(p.high);
  if (p.is_slice()) text += " into " + to_text(p.into);
  return text + (p.bias ? " bias" : "") + (p.relu ? " relu" : "") + (p.adds ? " added" : "");
}

std::string plan_key(const ConvProblem& p) {
  return to_text(p) + " out " + text_of(p.out) + " groups " + to_text(p.groups) + " aligned " + text_of(p.alignment) +
         (p.deterministic ? "" : " in any order");
}

}  // namespace dactyl
