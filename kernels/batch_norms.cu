// batch_norm as an operation, of one tensor or of several, which then share launches on a GPU.
#include <algorithm>

#include "engine/pack.h"
#include "kernels/descriptor.h"
#include "kernels/fast/batch_norm.h"

namespace dactyl {
namespace {

#ifdef __CUDACC__
constexpr std::size_t most_together = 4;

// Whether the GPU takes these x with y (or dy) and dx in the same launches.
bool together(const std::vector<NormArguments>& all, const std::vector<Tensor>& y) {
  const auto fits = [&](const NormArguments& a, const Tensor& out) {
    return a.options.statistics == Statistics::batch && a.x.shape().rows() == all[0].x.shape().rows() &&
           a.x.dtype() == all[0].x.dtype() && fast::norms_by_packs(a, out);
  };
  bool fit = all.size() > 1 && all.size() <= most_together;
  for (std::size_t i = 0; fit && i < all.size(); ++i) fit = fits(all[i], y[i]);
  return fit;
}
#endif

void run_forward(const std::vector<NormArguments>& all, const std::vector<Tensor>& y) {
#ifdef __CUDACC__
  if (together(all, y)) return fast::fit_and_normalise(all, y);
#endif
  for (std::size_t i = 0; i < all.size(); ++i) norm_forward(all[i], y[i]);
}

void run_backward(const std::vector<NormArguments>& all, const std::vector<Tensor>& dy, const std::vector<Tensor>& dx,
                  const std::vector<NormSums>& sums) {
#ifdef __CUDACC__
  if (together(all, dy) && std::all_of(dx.begin(), dx.end(), [](const Tensor& t) { return packed(t); }))
    return fast::gradient(all, dy, sums, dx);
#endif
  for (std::size_t i = 0; i < all.size(); ++i) norm_backward(all[i], dy[i], dx[i], sums[i]);
}

// One of the tensors, as the way back needs it.
struct Part {
  NormArguments a;
  NormGradients gradients;
  std::shared_ptr<Slot> x;
  std::weak_ptr<Slot> y;
  Grads found;
};

// Nothing lies between the parts on the tape: when the last of them comes back, the gradients of all have arrived.
class Norms {
 public:
  std::vector<Part> parts;

  Grads back(std::size_t i) {
    if (!found_) find_all();
    found_ = true;
    return std::move(parts[i].found);
  }

 private:
  void find_all() {
    std::vector<NormArguments> all;
    std::vector<Tensor> dy, dx;
    std::vector<NormSums> sums;
    std::vector<Part*> asked;
    for (Part& part : parts)
      if (const auto y = part.y.lock(); y && y->filled) {
        asked.push_back(&part);
        dy.push_back(gradient_of(*y));
        dx.push_back(place_of_gradient(part.x, part.a.x.shape(), part.a.x.dtype(), part.a.x.device()));
        sums.push_back(part.gradients.places());
        all.push_back(std::exchange(part.a, {}));
      }
    run_backward(all, dy, dx, sums);
    for (std::size_t i = 0; i < asked.size(); ++i) asked[i]->found = asked[i]->gradients.all(dx[i], sums[i]);
  }

  bool found_ = false;
};

// Two that gather a gradient in one place, or keep the same statistics, follow each other.
bool share_something(const std::vector<NormInput>& inputs) {
  const auto same = [](const Tensor& a, const Tensor& b) { return a.slot() && a.slot() == b.slot(); };
  for (std::size_t i = 0; i < inputs.size(); ++i)
    for (std::size_t j = 0; j < i; ++j) {
      const NormInput &a = inputs[i], &b = inputs[j];
      if (same(a.x, b.x) || same(a.gamma, b.gamma) || same(a.beta, b.beta) || a.mean.raw() == b.mean.raw() ||
          a.var.raw() == b.var.raw())
        return true;
    }
  return false;
}

void touch_statistics(const NormInput& in) {
  if (in.options.statistics != Statistics::batch) return;
  Tensor(in.mean).touch();
  Tensor(in.var).touch();
}

}  // namespace

std::vector<Tensor> batch_norms(const std::vector<NormInput>& inputs) {
  std::vector<NormArguments> all;
  std::vector<Tensor> y;
  if (share_something(inputs)) {
    for (const NormInput& in : inputs) y.push_back(batch_norms({in}).front());
    return y;
  }
  for (const NormInput& in : inputs) {
    all.push_back(norm_arguments(in.x, in.gamma, in.beta, in.mean, in.var, in.options));
    y.push_back(in.options.into.defined() ? in.options.into : empty_like(in.x));
  }
  run_forward(all, y);
  const auto norms = std::make_shared<Norms>();
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const NormInput& in = inputs[i];
    touch_statistics(in);
    if (tracing()) trace_what(to_text(describe(in.x, in.options)));
    const NormGradients gradients(in.gamma, in.beta, all[i]);
    NormArguments kept{all[i].x, {}, {}, {}, {}, all[i].fit, in.options};  // what the way back reads
    kept.options.into = {};
    norms->parts.push_back({kept, gradients, in.x.slot(), {}, {}});
    y[i] = record("batch_norm", {in.x, in.gamma, in.beta}, y[i], [norms, i](const Tensor&) { return norms->back(i); });
    norms->parts[i].y = y[i].slot();
    if (Context::current().recompute && y[i].watched())
      y[i].slot()->again = [kept](const Tensor& into) { norm_again(kept, into); };
  }
  return y;
}

Tensor batch_norm(const Tensor& x, const Tensor& gamma, const Tensor& beta, Tensor mean, Tensor var,
                  const NormOptions& options) {
  return batch_norms({{x, gamma, beta, mean, var, options}}).front();
}

}  // namespace dactyl
