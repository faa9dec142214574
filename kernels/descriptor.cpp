// Writing descriptors, and making them from what an operation was called with. Reading is in descriptor_parse.cpp.
#include "kernels/descriptor.h"

namespace dactyl {
namespace {

using Kind = Descriptor::Kind;

std::string extents(const Shape& shape) {
  std::string text;
  for (int i = 0; i < shape.rank(); ++i) text += (i ? "x" : "") + std::to_string(shape[i]);
  return text;
}

// One number where all are equal.
std::string brief(const Shape& shape) {
  for (int i = 1; i < shape.rank(); ++i)
    if (shape[i] != shape[0]) return extents(shape);
  return std::to_string(shape[0]);
}

std::string padding(const Descriptor& d) {
  const Window &w = d.window, same = dactyl::same(d.x, w.kernel, w.stride);
  if (w.low == w.high) return brief(w.low);
  if (w.low == same.low && w.high == same.high) return "same";
  std::string text;
  for (int i = 0; i < w.low.rank(); ++i)
    text += (i ? "x" : "") + std::to_string(w.low[i]) + ":" + std::to_string(w.high[i]);
  return text;
}

std::string kind_text(const Descriptor& d) {
  const std::string dimensions = d.slides() ? std::to_string(d.x.spatial()) + "d" : "";
  switch (d.kind) {
    case Kind::conv:
      return "conv" + dimensions;
    case Kind::max_pool:
      return "max_pool" + dimensions;
    case Kind::mean_pool:
      return "mean_pool" + dimensions;
    case Kind::batch_norm:
      return "batch_norm";
    case Kind::norm_max_pool:
      return "batch_norm_max_pool" + dimensions;
    case Kind::lrn:
      return "lrn";
    case Kind::linear:
      return "linear";
  }
  return "";
}

Descriptor begun(Kind kind, const Tensor& x) {
  Descriptor d;
  d.kind = kind;
  d.x = x.shape();
  d.dtype = x.dtype();
  d.math = x.dtype() == DType::f32 ? Context::current().math : Math::fp32;
  return d;
}

i64 width_of(const Tensor& into) { return into.defined() && !into.is_dense() ? into.pitch() : 0; }

}  // namespace

std::string precision_text(DType type, Math math) {
  switch (type) {
    case DType::bf16:
      return "bf16";
    case DType::f16:
      return "fp16";
    case DType::f64:
      return "fp64";
    default:
      return math == Math::tf32 ? "tf32" : "fp32";
  }
}

Shape Descriptor::y() const {
  if (kind == Kind::linear) return {x[0], out};
  if (!slides()) return x;
  return output_shape(x, window, kind == Kind::conv ? out : x.channels(), ceil ? Rounding::ceil : Rounding::floor);
}

Shape Descriptor::w() const {
  if (kind == Kind::linear) return {out, x.count() / x[0]};
  Shape shape = x.with(0, out).with(-1, x.channels() / groups);
  for (int i = 0; i < window.kernel.rank(); ++i) shape = shape.with(i + 1, window.kernel[i]);
  return shape;
}

double Descriptor::products() const {
  if (!learns()) return 0;
  return static_cast<double>(y().count()) * static_cast<double>(w().count() / out);
}

std::string to_text(const Descriptor& d) {
  std::string text = kind_text(d) + " x=" + extents(d.x);
  if (d.slides()) text += " k=" + extents(d.window.kernel) + " s=" + brief(d.window.stride) + " p=" + padding(d);
  if (d.learns()) text += " out=" + std::to_string(d.out);
  if (d.groups != 1) text += " groups=" + std::to_string(d.groups);
  if (d.kind == Kind::lrn && d.n != 5) text += " n=" + std::to_string(d.n);
  for (const auto& [set, word] :
       {std::pair{d.bias, " bias"}, {d.relu, " relu"}, {d.ceil, " ceil"}, {d.frozen, " frozen"}})
    if (set) text += word;
  if (d.into) text += " into=" + std::to_string(d.into);
  return text + " " + precision_text(d.dtype, d.math);
}

Descriptor describe(const Tensor& x, const Tensor& w, const ConvOptions& o) {
  Descriptor d = begun(Kind::conv, x);
  d.window = o.window;
  d.out = w.shape()[0];
  d.groups = o.groups;
  d.bias = o.bias.defined();
  d.relu = o.relu;
  d.into = width_of(o.into);
  return d;
}

Descriptor describe(const Tensor& x, const Tensor& w, const LinearOptions& o) {
  Descriptor d = begun(Kind::linear, x);
  d.x = {x.shape()[0], w.shape()[1]};
  d.out = w.shape()[0];
  d.bias = o.bias.defined();
  d.relu = o.relu;
  return d;
}

Descriptor describe(Kind pool, const Tensor& x, const PoolOptions& o) {
  Descriptor d = begun(pool, x);
  d.window = o.window;
  d.ceil = o.rounding == Rounding::ceil;
  d.into = width_of(o.into);
  return d;
}

Descriptor describe(const Tensor& x, const NormOptions& o) {
  Descriptor d = begun(Kind::batch_norm, x);
  d.relu = o.relu;
  d.frozen = o.statistics == Statistics::frozen;
  d.into = width_of(o.into);
  return d;
}

Descriptor describe(const Tensor& x, const NormOptions& norm, const PoolOptions& pool) {
  Descriptor d = describe(Kind::norm_max_pool, x, pool);
  d.relu = norm.relu;
  d.frozen = norm.statistics == Statistics::frozen;
  return d;
}

Descriptor describe(const Tensor& x, const LrnOptions& o) {
  Descriptor d = begun(Kind::lrn, x);
  d.n = o.size;
  d.relu = o.relu;
  return d;
}

}  // namespace dactyl
