// max_pool(batch_norm(x)) without the normalised tensor between them. On the way back the sums go over the windows
// alone: where a window chose no x, g is 0.
#include "kernels/fast/batch_norm_max_pool.h"

#include "kernels/descriptor.h"
#include "kernels/fast/batch_norm.h"
#include "kernels/fast/max_pool.h"

namespace dactyl {
namespace {

// Whether a GPU can take both at once.
bool fits([[maybe_unused]] const NormArguments& a, [[maybe_unused]] const Geometry& g,
          [[maybe_unused]] const Tensor& y) {
#ifdef __CUDACC__
  return fast::norms_by_packs(a, y) && fast::pools_by_packs(g, a.x, y) && g.taps() <= fast::no_tap && g.meets_input();
#else
  return false;
#endif
}

void fit([[maybe_unused]] const NormArguments& a) {
#ifdef __CUDACC__
  a.options.statistics == Statistics::frozen ? fit_frozen(a) : fast::fit_batch(a);
#endif
}

// Σ g and Σ g·x̂ are those of batch_norm for the chosen x alone.
void sum_gradients([[maybe_unused]] NormArguments a, [[maybe_unused]] const Tensor& chosen,
                   [[maybe_unused]] const Tensor& dy, [[maybe_unused]] const NormSums& sums) {
#ifdef __CUDACC__
  a.x = chosen;
  fast::sum_gradients(a, dy, sums);
#endif
}

}  // namespace

Tensor batch_norm_max_pool(const Tensor& x, const Tensor& gamma, const Tensor& beta, Tensor mean, Tensor var,
                           const NormOptions& norm, const PoolOptions& pool) {
  check(!norm.into.defined(), "batch_norm_max_pool: the place for the result belongs into the pool's options");
  const auto apart = [&] { return max_pool(batch_norm(x, gamma, beta, mean, var, norm), pool); };
  if (!x.device().is_cuda() || pool.algorithm == Algorithm::reference) return apart();
  const Shape shape = output_shape(x.shape(), pool.window, x.shape().channels(), pool.rounding);
  const Geometry g = geometry(x.shape(), shape, pool.window);
  NormArguments a = norm_arguments(x, gamma, beta, mean, var, norm);
  const Tensor y = result("batch_norm_max_pool", pool.into, shape, x);
  if (!fits(a, g, y)) return apart();
  Tensor chosen, taps;
  if (recording({x, gamma, beta})) {
    chosen = Tensor(shape, x.dtype(), x.device());
    taps = Tensor(shape, DType::u8, x.device());
  }
  fit(a);
  fast::norm_max_pool(a, g, y, chosen, taps);
  if (norm.statistics == Statistics::batch) {
    mean.touch();
    var.touch();
  }
  if (tracing()) trace_what(to_text(describe(x, norm, pool)));
  // What backward does not read is not kept alive.
  const NormGradients gradients(gamma, beta, a);
  a = {a.x, {}, {}, {}, {}, a.fit, norm};
  return record("batch_norm_max_pool", {x, gamma, beta}, y, [a, g, chosen, taps, gradients](const Tensor& given) {
    const Tensor dy = packed(given) ? given : given.clone(), dx = empty_like(a.x);
    const NormSums sums = gradients.places();
    sum_gradients(a, chosen, dy, sums);
    fast::norm_max_pool_gradient(a, g, dy, taps, sums, dx);
    return gradients.all(dx, sums);
  });
}

}  // namespace dactyl
