// w' = w·γ/√(var + ε), b' = β − mean·γ/√(var + ε): batch normalisation folded into the convolution before it.
#include "engine/each.h"
#include "kernels/ops.h"

namespace dactyl {
namespace {

struct Scale {
  const float *gamma, *mean, *var;
  float epsilon;
  HD float operator()(i64 o) const { return (gamma ? gamma[o] : 1.0f) / sqrtf(var[o] + epsilon); }
};

template <class W, class T>
void fold_weights(Device device, i64 n, i64 per_output, Scale scale, const W* w, T* out) {
  each(device, n, [=] HD(i64 i) { out[i] = T(float(w[i]) * scale(i / per_output)); });
}

template <class T>
void fold_bias(Device device, i64 channels, Scale scale, const float* beta, T* out) {
  each(device, channels, [=] HD(i64 o) { out[o] = T(beta[o] - scale.mean[o] * scale(o)); });
}

}  // namespace

Folded fold_norm(const Tensor& w, const Tensor& gamma, const Tensor& beta, const Tensor& mean, const Tensor& var,
                 double epsilon, DType type) {
  const i64 channels = w.shape()[0];
  check(beta.shape() == Shape{channels} && mean.shape() == beta.shape() && var.shape() == beta.shape(),
        "fold_norm: weights {} with beta {}, mean {}, var {}", w.shape(), beta.shape(), mean.shape(), var.shape());
  const Scale scale{gamma.defined() ? gamma.data<float>() : nullptr, mean.data<float>(), var.data<float>(),
                    static_cast<float>(epsilon)};
  Folded folded{Tensor(w.shape(), type, w.device()), Tensor({channels}, type, w.device())};
  with_float(type, [&]<class T>() {
    with_float(w.dtype(), [&]<class W>() {
      fold_weights<W, T>(w.device(), w.count(), w.count() / channels, scale, w.data<W>(), folded.weight.data<T>());
    });
    fold_bias<T>(w.device(), channels, scale, beta.data<float>(), folded.bias.data<T>());
  });
  return folded;
}

}  // namespace dactyl
