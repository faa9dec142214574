// y = (x − mean)/√(var + ε)·γ + β per channel (Ioffe and Szegedy 2015), with relu in the same pass if asked.
// Of the batch: dx = γ/√(var + ε)·(g − mean(g) − x̂·mean(g·x̂)); frozen: dx = γ/√(var + ε)·g; dγ = Σ g·x̂, dβ = Σ g.
#include "engine/reduce.h"
#include "kernels/batch_norm_rows.h"
#include "kernels/descriptor.h"
#include "kernels/fast/batch_norm.h"

namespace dactyl {
namespace {

using Arguments = NormArguments;
template <class C>
using Coefficients = NormCoefficients<C>;

// Two passes: the variance from differences to the mean loses nothing when the mean is large. Sum: the type summed in.
template <class T, class Sum>
void fit_batch(const Arguments& a) {
  using C = compute_t<T>;
  const i64 rows = a.x.shape().rows(), channels = a.x.shape().channels(), pitch = a.x.pitch();
  const Coefficients<C> k(a.fit);
  const C *gamma = data_or_null<C>(a.gamma), *beta = data_or_null<C>(a.beta);
  C *running_mean = a.mean.data<C>(), *running_var = a.var.data<C>();
  const C momentum = C(a.options.momentum), epsilon = C(a.options.epsilon);
  const T* x = a.x.data<T>();
  fold_channels<Sum>(
      a.x.device(), rows, channels, [=] HD(i64 r, i64 c) { return Sum(C(x[r * pitch + c])); },
      [=] HD(i64 c, Sum sum) { k.mean[c] = C(sum / Sum(rows)); });
  fold_channels<Sum>(
      a.x.device(), rows, channels,
      [=] HD(i64 r, i64 c) {
        const C d = C(x[r * pitch + c]) - k.mean[c];
        return Sum(d * d);
      },
      [=] HD(i64 c, Sum sum) {
        k.set(c, C(sum / Sum(rows)), epsilon, gamma, beta);
        running_mean[c] += momentum * (k.mean[c] - running_mean[c]);
        running_var[c] += momentum * (C(sum / Sum(rows - 1)) - running_var[c]);
      });
}

template <class C>
void fit_frozen_as(const Arguments& a) {
  const Coefficients<C> k(a.fit);
  const C *gamma = data_or_null<C>(a.gamma), *beta = data_or_null<C>(a.beta);
  const C *mean = a.mean.data<C>(), *var = a.var.data<C>();
  const C epsilon = C(a.options.epsilon);
  each(a.x.device(), a.x.shape().channels(), [=] HD(i64 c) {
    k.mean[c] = mean[c];
    k.set(c, var[c], epsilon, gamma, beta);
  });
}

template <class T>
void normalise(const Arguments& a, const Tensor& result) {
  using C = compute_t<T>;
  const Coefficients<C> k(a.fit);
  const i64 x_pitch = a.x.pitch(), y_pitch = result.pitch();
  const bool relu = a.options.relu;
  const T* x = a.x.data<T>();
  T* y = result.data<T>();
  each_row(a.x.device(), a.x.shape().rows(), a.x.shape().channels(), [=] HD(i64 r, i64 c) {
    const C z = (C(x[r * x_pitch + c]) - k.mean[c]) * k.scale[c] + k.shift[c];
    y[r * y_pitch + c] = T(relu && z < 0 ? C(0) : z);
  });
}

template <class T>
void fit(const Arguments& a) {
  if (a.options.statistics == Statistics::frozen)
    fit_frozen(a);
  else if (a.x.device().is_cuda())
    fit_batch<T, compute_t<T>>(a);
  else
    fit_batch<T, double>(a);
}

// One element on the way back: x̂, and dy where relu let the value through (drawn from x again, so y need not be kept).
template <class T>
struct Element {
  using C = compute_t<T>;
  const T *x, *dy;
  i64 x_pitch, dy_pitch;
  Coefficients<C> k;
  bool relu;

  HD C normal(i64 r, i64 c) const { return (C(x[r * x_pitch + c]) - k.mean[c]) * k.inverse[c]; }
  HD C gradient(i64 r, i64 c) const {
    const C z = (C(x[r * x_pitch + c]) - k.mean[c]) * k.scale[c] + k.shift[c];
    return relu && !(z > 0) ? C(0) : C(dy[r * dy_pitch + c]);
  }
};

template <class T, class Sum>
void sum_gradients(const Arguments& a, const Element<T>& at, const NormSums& sums) {
  using C = compute_t<T>;
  C *of_g = sums.of_g.data<C>(), *of_gx = sums.of_gx.data<C>();
  fold_channels<Two<Sum>>(
      a.x.device(), a.x.shape().rows(), a.x.shape().channels(),
      [=] HD(i64 r, i64 c) {
        const C g = at.gradient(r, c);
        return Two<Sum>{Sum(g), Sum(g * at.normal(r, c))};
      },
      [=] HD(i64 c, Two<Sum> sum) {
        of_g[c] = C(sum.a);
        of_gx[c] = C(sum.b);
      });
}

template <class T>
void backward(const Arguments& a, const Tensor& dy, const Tensor& result, const NormSums& sums) {
  using C = compute_t<T>;
  const i64 rows = a.x.shape().rows(), channels = a.x.shape().channels();
  const Element<T> at{a.x.data<T>(), dy.data<T>(), a.x.pitch(), dy.pitch(), Coefficients<C>(a.fit), a.options.relu};
  if (a.x.device().is_cuda())
    sum_gradients<T, C>(a, at, sums);
  else
    sum_gradients<T, double>(a, at, sums);
  const C share = share_of_row<C>(a);
  const C *of_g = sums.of_g.data<C>(), *of_gx = sums.of_gx.data<C>();
  T* dx = result.data<T>();
  const i64 pitch = result.pitch();
  each_row(a.x.device(), rows, channels, [=] HD(i64 r, i64 c) {
    const C shared = of_g[c] * share + at.normal(r, c) * (of_gx[c] * share);
    dx[r * pitch + c] = T(at.k.scale[c] * (at.gradient(r, c) - shared));
  });
}

void check_arguments(const Arguments& a) {
  const Shape per_channel{a.x.shape().channels()};
  const DType wide = a.x.dtype() == DType::f64 ? DType::f64 : DType::f32;
  for (const Tensor* t : {&a.mean, &a.var, &a.gamma, &a.beta})
    check(!t->defined() || t->shape() == per_channel, "batch_norm: x {} has {} channels, a parameter has shape {}",
          a.x.shape(), per_channel[0], t->shape());
  check(a.mean.defined() && a.var.defined() && a.mean.dtype() == wide && a.var.dtype() == wide,
        "batch_norm: mean and variance of {} x must be {}", a.x.dtype(), wide);
  const Tensor& into = a.options.into;
  check(!into.defined() || (into.shape() == a.x.shape() && into.dtype() == a.x.dtype()),
        "batch_norm: the result {} {} does not fit into {} {}", a.x.dtype(), a.x.shape(),
        into.defined() ? to_text(into.dtype()) : "", into.defined() ? to_text(into.shape()) : "");
  check(a.options.statistics == Statistics::frozen || a.x.shape().rows() > 1,
        "batch_norm: x {} has one row per channel, which has no variance; use a larger batch", a.x.shape());
}

// A parameter converted for inference in a narrow type is widened here; its gradient is narrowed again.
Tensor converted(const Tensor& t, DType type) { return t.defined() ? t.to(type) : t; }

}  // namespace

void fit_frozen(const NormArguments& a) {
  a.fit.dtype() == DType::f64 ? fit_frozen_as<double>(a) : fit_frozen_as<float>(a);
}

void norm_forward(const NormArguments& a, const Tensor& y) {
#ifdef __CUDACC__
  if (fast::norms_by_packs(a, y)) {
    if (a.options.statistics == Statistics::batch) return fast::fit_and_normalise(a, y);
    fit_frozen(a);
    return fast::normalise(a, y);
  }
#endif
  if (norms_by_rows(a)) {
    a.options.statistics == Statistics::frozen ? fit_frozen(a) : fit_rows(a);
    return normalise_rows(a, y);
  }
  with_float(a.x.dtype(), [&]<class T>() {
    fit<T>(a);
    normalise<T>(a, y);
  });
}

// With what a.fit holds from the way forward: the same bits.
void norm_again(const NormArguments& a, const Tensor& y) {
#ifdef __CUDACC__
  if (fast::norms_by_packs(a, y)) return fast::normalise(a, y);
#endif
  if (norms_by_rows(a)) return normalise_rows(a, y);
  with_float(a.x.dtype(), [&]<class T>() { normalise<T>(a, y); });
}

void norm_backward(const NormArguments& a, const Tensor& dy, const Tensor& dx, const NormSums& sums) {
#ifdef __CUDACC__
  if (fast::norms_by_packs(a, dy) && packed(dx)) return fast::gradient(a, dy, sums, dx);
#endif
  if (norms_by_rows(a)) {
    sum_gradient_rows(a, dy, sums);
    return normalise_gradient_rows(a, dy, sums, dx);
  }
  with_float(a.x.dtype(), [&]<class T>() { backward<T>(a, dy, dx, sums); });
}

NormArguments norm_arguments(const Tensor& x, const Tensor& gamma, const Tensor& beta, const Tensor& mean,
                             const Tensor& var, const NormOptions& options) {
  const DType wide = x.dtype() == DType::f64 ? DType::f64 : DType::f32;
  NormArguments a{x.detached(), converted(gamma, wide), converted(beta, wide), mean, var, {}, options};
  check_arguments(a);
  a.fit = Tensor({4, x.shape().channels()}, wide, x.device());
  return a;
}

NormGradients::NormGradients(const Tensor& gamma, const Tensor& beta, const NormArguments& a)
    : gamma_slot_(gamma.slot()),
      beta_slot_(beta.slot()),
      wide_(a.fit.dtype()),
      gamma_type_(gamma.defined() ? gamma.dtype() : wide_),
      beta_type_(beta.defined() ? beta.dtype() : wide_),
      per_channel_{a.x.shape().channels()},
      device_(a.x.device()) {}

NormSums NormGradients::places() const {
  return {place_of_gradient(beta_slot_, per_channel_, wide_, device_),
          place_of_gradient(gamma_slot_, per_channel_, wide_, device_)};
}

Grads NormGradients::all(const Tensor& dx, const NormSums& sums) const {
  return {dx, sums.of_gx.to(gamma_type_), sums.of_g.to(beta_type_)};
}

}  // namespace dactyl
