// What the passes of batch_norm share. Internal to the kernels.
#pragma once

#include "kernels/ops.h"

namespace dactyl {

struct NormArguments {
  Tensor x, gamma, beta, mean, var, fit;
  NormOptions options;
};

// Four numbers per channel that all passes read, side by side in one (4, C) tensor.
template <class C>
struct NormCoefficients {
  C *mean, *inverse, *scale, *shift;  // inverse: 1/√(var + ε); scale: γ·inverse; shift: β

  explicit NormCoefficients(const Tensor& fit) : NormCoefficients(fit.data<C>(), fit.shape().channels()) {}
  HD NormCoefficients(C* first, i64 channels)
      : mean(first), inverse(first + channels), scale(first + 2 * channels), shift(first + 3 * channels) {}
  HD void set(i64 c, C var, C epsilon, C gamma, C beta) const {
    inverse[c] = 1 / std::sqrt(var + epsilon);
    scale[c] = gamma * inverse[c];
    shift[c] = beta;
  }
  HD void set(i64 c, C var, C epsilon, const C* gamma, const C* beta) const {
    set(c, var, epsilon, gamma ? gamma[c] : C(1), beta ? beta[c] : C(0));
  }
};

// Σ g and Σ g·x̂ per channel, g being dy where relu let the value through: the gradients of β and γ.
struct NormSums {
  Tensor of_g, of_gx;
};

// 1/rows where the statistics follow x, 0 where they are frozen.
template <class C>
C share_of_row(const NormArguments& a) {
  return a.options.statistics == Statistics::batch ? C(1) / C(a.x.shape().rows()) : C(0);
}

// The arguments checked, in the types that the passes read, with a place for the coefficients.
NormArguments norm_arguments(const Tensor& x, const Tensor& gamma, const Tensor& beta, const Tensor& mean,
                             const Tensor& var, const NormOptions&);
void fit_frozen(const NormArguments&);  // the coefficients from the running statistics

// The passes; the numbers of y once more, from what the first pass has left.
void norm_forward(const NormArguments&, const Tensor& y);
void norm_again(const NormArguments&, const Tensor& y);
void norm_backward(const NormArguments&, const Tensor& dy, const Tensor& dx, const NormSums&);

// Where the gradients of γ and β go, and in which types.
struct NormGradients {
  NormGradients(const Tensor& gamma, const Tensor& beta, const NormArguments&);
  NormSums places() const;
  Grads all(const Tensor& dx, const NormSums&) const;  // of x, γ and β

 private:
  std::shared_ptr<Slot> gamma_slot_, beta_slot_;
  DType wide_, gamma_type_, beta_type_;
  Shape per_channel_;
  Device device_;
};

template <class C>
C* data_or_null(const Tensor& t) {
  return t.defined() ? t.data<C>() : nullptr;
}

}  // namespace dactyl
