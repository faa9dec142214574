// What the layers compute.
#include "nets/layers.h"

#include <cmath>

namespace dactyl {

Tensor in_type_of(const Parameter& weight, const Tensor& x) {
  if (weight.learned().dtype() == x.dtype()) return weight.learned();
  check(!weight.narrow.defined() || !Tape::current(), "{}: packed for {}, not for an input of {}", weight.name,
        weight.narrow.dtype(), x.dtype());
  return cast(weight.value, x.dtype());
}

ConvUnit::ConvUnit(Scope at, i64 in, i64 out, Kernel kernel, const Style& style, i64 groups)
    : name_(at.path), kernel_(kernel), groups_(groups), epsilon_(style.epsilon), activation_(style.activation) {
  const Shape& k = kernel.size;
  const i64 fan_in = k.count() * in / groups;
  const Shape shape = k.rank() == 2 ? Shape{out, k[0], k[1], in / groups} : Shape{out, k[0], k[1], k[2], in / groups};
  at.separator = '.';  // inside a unit, whatever separates units
  const Scope conv_at = style.norm ? at / "conv" : at;
  weight_ = &conv_at.add("weight", shape, style.weight, fan_in);
  if (style.norm) {
    add_norm(at / "bn", out, style.gamma);
  } else {
    Parameter& bias = at.add("bias", {out}, constant(style.bias));
    bias.rate = style.bias_rate;
    bias.decay = 0;
    bias_ = &bias;
  }
}

void ConvUnit::add_norm(Scope at, i64 out, bool scales) {
  const auto learned = [&](const char* leaf, double value) {
    Parameter& p = at.add(leaf, {out}, constant(value));
    p.decay = 0;
    p.wide = true;
    return &p;
  };
  if (scales) gamma_ = learned("weight", 1);
  bias_ = learned("bias", 0);
  mean_ = &at.store.add_statistic(at.path + ".running_mean", {out}, 0);
  var_ = &at.store.add_statistic(at.path + ".running_var", {out}, 1);
}

Tensor ConvUnit::operator()(const Tensor& x, Pass& pass, const Tensor& into) const {
  const Range range(name_);
  Tensor y;
  if (!mean_) {
    if (pass.training && pass.tap && activation_ == Activation::relu)  // what a normalisation in this place would see
      pass.see(name_ + ".conv", convolution(x));
    y = conv(x, in_type_of(*weight_, x),
             {.window = kernel_.on(x.shape()),
              .groups = groups_,
              .bias = in_type_of(*bias_, x),
              .relu = activation_ == Activation::relu,
              .into = into});
  } else if (normalises(x, pass)) {
    return normalised(convolution(x), pass, into);
  } else {
    y = folded(x, into);
  }
  return activated(y, pass);
}

bool ConvUnit::normalises(const Tensor& x, const Pass& pass) const {
  return mean_ && (pass.training || recording({x, weight_->learned(), gamma(), bias_->value}));
}

Tensor ConvUnit::normalised(const Tensor& z, Pass& pass, const Tensor& into) const {
  return activated(batch_norms({norm_input(z, pass, into)}).front(), pass);
}

NormInput ConvUnit::norm_input(const Tensor& z, Pass& pass, const Tensor& into) const {
  if (pass.tap) pass.see(name_ + ".conv", z);
  return {z, gamma(), bias_->value, mean_->value, var_->value, norm(pass, into)};
}

Tensor ConvUnit::activated(Tensor y, Pass& pass) const {  // ReLU has been done in the same pass
  if (activation_ == Activation::relu6) y = relu6(y);
  pass.see(name_, y);
  return y;
}

Tensor ConvUnit::pooled(const Tensor& x, Pass& pass, const Pooling& pool) const {
  const Range range(name_);
  const Tensor z = convolution(x);
  return batch_norm_max_pool(z, gamma(), bias_->value, mean_->value, var_->value, norm(pass), pool.on(z.shape()));
}

Tensor ConvUnit::convolved(const Tensor& x) const {
  const Range range(name_);
  return convolution(x);
}

Tensor ConvUnit::convolution(const Tensor& x) const {
  const Tensor bias = mean_ ? Tensor() : in_type_of(*bias_, x);
  return conv(x, in_type_of(*weight_, x), {.window = kernel_.on(x.shape()), .groups = groups_, .bias = bias});
}

NormOptions ConvUnit::norm(const Pass& pass, const Tensor& into) const {
  const bool batch = pass.training && !pass.frozen_statistics;
  return {.statistics = batch ? Statistics::batch : Statistics::frozen,
          .epsilon = epsilon_,
          .relu = activation_ == Activation::relu,
          .into = into};
}

// Nothing learns and nothing is recorded: one convolution does it all.
Tensor ConvUnit::folded(const Tensor& x, const Tensor& into) const {
  const std::array<std::uint64_t, 5> stamps{weight_->value.stamp(), gamma_ ? gamma_->value.stamp() : 0,
                                            bias_->value.stamp(), mean_->value.stamp(), var_->value.stamp()};
  Folded& f = fold_->folded;
  if (!f.weight.defined() || f.weight.dtype() != x.dtype() || fold_->stamps != stamps) {
    f = fold_norm(weight_->value, gamma(), bias_->value, mean_->value, var_->value, epsilon_, x.dtype());
    fold_->stamps = stamps;
  }
  return conv(x, f.weight,
              {.window = kernel_.on(x.shape()),
               .groups = groups_,
               .bias = f.bias,
               .relu = activation_ == Activation::relu,
               .into = into});
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
  const Tensor y = linear(flatten(x), in_type_of(*weight_, x), {.bias = in_type_of(*bias_, x), .relu = relu_});
  pass.see(name_, y);
  return y;
}

// Keras' glorot_uniform for the weight; the recurrent one as PyTorch draws it.
LstmUnit::LstmUnit(Scope at, i64 in, i64 units) : name_(at.path) {
  const auto spread = [](double numbers) { return uniform(std::sqrt(numbers)); };
  weight_ = &at.add("weight", {4 * units, in}, spread(6.0 / static_cast<double>(in + 4 * units)), in);
  recurrent_ = &at.add("recurrent", {4 * units, units}, spread(1.0 / static_cast<double>(units)), units);
  Parameter& bias = at.add("bias", {4 * units}, second_quarter(1));
  bias.decay = 0;
  bias_ = &bias;
}

Tensor LstmUnit::operator()(const Tensor& x, Pass& pass) const {
  const Range range(name_);
  const Tensor y = lstm(x, in_type_of(*weight_, x), in_type_of(*recurrent_, x), in_type_of(*bias_, x));
  pass.see(name_, y);
  return y;
}

Tensor dropout_if_training(const Tensor& x, double drop, Pass& pass) {
  if (!pass.training || drop <= 0) return x;
  check(pass.random != nullptr, "dropout: a training pass needs random numbers");
  return dropout(x, drop, *pass.random);
}

}  // namespace dactyl
