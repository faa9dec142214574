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

template <class C>
const C* data_or_null(const Tensor& t) {
  return t.defined() ? t.data<C>() : nullptr;
}

}  // namespace dactyl
