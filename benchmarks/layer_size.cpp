// How much work a described layer is: operations and bytes.
#include "benchmarks/layer_work.h"

namespace dactyl {
namespace {

using Kind = Descriptor::Kind;

struct Bytes {
  double x, y, w, taps;
};

double forward_bytes(const Descriptor& d, const Bytes& b, bool recorded) {
  if (d.learns()) return b.x + b.w + b.y;
  const double reads = d.norms() && !d.frozen ? 2 : 1;  // statistics, then the result
  if (d.kind == Kind::norm_max_pool) return reads * b.x + b.y + (recorded ? b.y + b.taps : 0);  // the x chosen as well
  if (d.kind == Kind::batch_norm) return reads * b.x + b.y;
  return b.x + b.y + (d.kind == Kind::max_pool && recorded ? b.taps : 0);
}

double data_bytes(const Descriptor& d, const Bytes& b) {
  if (d.learns()) return b.y + b.w + b.x;
  if (d.kind == Kind::batch_norm) return 2 * (b.x + b.y) + b.x;  // sums of the gradient, then the gradient
  if (d.kind == Kind::norm_max_pool) return 2 * b.y + (b.x + b.y + b.taps) + b.x;  // sums over the chosen alone
  if (d.kind == Kind::lrn) return b.x + b.y + b.x;
  return b.y + b.x + (d.kind == Kind::max_pool ? b.taps : 0);
}

}  // namespace

double layer_flops(const Descriptor& d, LayerPass pass) { return 2 * d.products() * (pass == LayerPass::both ? 3 : 1); }

double layer_bytes(const Descriptor& d, LayerPass pass, bool recorded) {
  const double size = static_cast<double>(size_of(d.dtype)), y = static_cast<double>(d.y().count());
  const Bytes b{size * static_cast<double>(d.x.count()), size * y,
                d.learns() ? size * static_cast<double>(d.w().count()) : 0, y};
  const double weights = d.learns() ? b.x + b.y + b.w : 0;
  switch (pass) {
    case LayerPass::forward:
      return forward_bytes(d, b, recorded);
    case LayerPass::data:
      return data_bytes(d, b);
    case LayerPass::weights:
      return weights;
    case LayerPass::both:
      return forward_bytes(d, b, true) + data_bytes(d, b) + weights;
  }
  return 0;
}

}  // namespace dactyl
