// What the layers compute.
#include "nets/layers.h"

namespace dactyl {

Tensor in_type_of(const Tensor& weight, const Tensor& x) {
  return weight.dtype() == x.dtype() ? weight : cast(weight, x.dtype());
}

ConvUnit::ConvUnit(Scope at, i64 in, i64 out, Kernel kernel, const Style& style, i64 groups)
    : name_(at.path), kernel_(kernel), groups_(groups), epsilon_(style.epsilon) {
  const Shape& k = kernel.size;
  const i64 fan_in = k.count() * in / groups;
  const Shape shape = k.rank() == 2 ? Shape{out, k[0], k[1], in / groups} : Shape{out, k[0], k[1], k[2], in / groups};
  const Scope conv_at = style.norm ? at / "conv" : at;
  weight_ = &conv_at.add("weight", shape, style.weight, fan_in);
  if (!style.norm) {
    Parameter& bias = at.add("bias", {out}, constant(style.bias));
    bias.rate = style.bias_rate;
    bias.decay = 0;
    bias_ = &bias;
    return;
  }
  const Scope norm_at = at / "bn";
  Parameter& gamma = norm_at.add("weight", {out}, constant(1));
  Parameter& beta = norm_at.add("bias", {out}, constant(0));
  gamma.decay = beta.decay = 0;
  gamma.wide = beta.wide = true;
  gamma_ = &gamma;
  bias_ = &beta;
  mean_ = &norm_at.store.add_statistic(norm_at.path + ".running_mean", {out}, 0);
  var_ = &norm_at.store.add_statistic(norm_at.path + ".running_var", {out}, 1);
}

Tensor ConvUnit::operator()(const Tensor& x, Pass& pass, const Tensor& into) const {
  const Range range(name_);
  Tensor y;
  if (!gamma_) {
    y = conv(x, in_type_of(weight_->value, x),
             {.window = kernel_.on(x.shape()),
              .groups = groups_,
              .bias = in_type_of(bias_->value, x),
              .relu = true,
              .into = into});
  } else if (pass.training || recording({x, weight_->value, gamma_->value, bias_->value})) {
    y = normalised(x, pass, into);
  } else {
    y = folded(x, into);
  }
  pass.see(name_, y);
  return y;
}

Tensor ConvUnit::normalised(const Tensor& x, Pass& pass, const Tensor& into) const {
  const bool batch = pass.training && !pass.frozen_statistics;
  const Tensor z = conv(x, in_type_of(weight_->value, x), {.window = kernel_.on(x.shape()), .groups = groups_});
  return batch_norm(
      z, gamma_->value, bias_->value, mean_->value, var_->value,
      {.statistics = batch ? Statistics::batch : Statistics::frozen, .epsilon = epsilon_, .relu = true, .into = into});
}

// Nothing learns and nothing is recorded: one convolution does it all.
Tensor ConvUnit::folded(const Tensor& x, const Tensor& into) const {
  const std::array<std::uint64_t, 5> stamps{weight_->value.stamp(), gamma_->value.stamp(), bias_->value.stamp(),
                                            mean_->value.stamp(), var_->value.stamp()};
  Folded& f = fold_->folded;
  if (!f.weight.defined() || f.weight.dtype() != x.dtype() || fold_->stamps != stamps) {
    f = fold_norm(weight_->value, gamma_->value, bias_->value, mean_->value, var_->value, epsilon_, x.dtype());
    fold_->stamps = stamps;
  }
  return conv(x, f.weight,
              {.window = kernel_.on(x.shape()), .groups = groups_, .bias = f.bias, .relu = true, .into = into});
}

LinearUnit::LinearUnit(Scope at, i64 in, i64 out, const Style& style, bool relu) : name_(at.path), relu_(relu) {
  weight_ = &at.add("weight", {out, in}, style.weight, in);
  Parameter& bias = at.add("bias", {out}, constant(style.bias));
  bias.rate = style.bias_rate;
  bias.decay = 0;
  bias_ = &bias;
}

Tensor LinearUnit::operator()(const Tensor& x, Pass& pass) const {
  const Range range(name_);
  const Tensor y =
      linear(flatten(x), in_type_of(weight_->value, x), {.bias = in_type_of(bias_->value, x), .relu = relu_});
  pass.see(name_, y);
  return y;
}

Tensor dropout_if_training(const Tensor& x, double drop, Pass& pass) {
  if (!pass.training || drop <= 0) return x;
  check(pass.random != nullptr, "dropout: a training pass needs random numbers");
  return dropout(x, drop, *pass.random);
}

}  // namespace dactyl
