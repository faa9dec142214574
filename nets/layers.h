// Layers as small callables: each creates its parameters under its name and computes with them.
#pragma once

#include <array>

#include "kernels/ops.h"
#include "nets/model.h"

namespace dactyl {

// Any callable will do; there is no base class.
using Layer = std::function<Tensor(const Tensor&, Pass&)>;

// A window that may depend on the input's size, as TensorFlow's SAME padding does.
struct Kernel {
  Shape size, stride, pad;
  bool same = false;
  Window on(const Shape& x) const { return same ? dactyl::same(x, size, stride) : window(size, stride, pad); }
};
inline Kernel kernel(i64 size, i64 stride = 1, i64 pad = 0) { return {{size, size}, {stride, stride}, {pad, pad}}; }
inline Kernel same(i64 size, i64 stride = 1) { return {{size, size}, {stride, stride}, {}, true}; }
inline Kernel same(Shape size, Shape stride) { return {size, stride, {}, true}; }
inline Kernel cube(i64 size, i64 stride = 1) { return same({size, size, size}, {stride, stride, stride}); }

// A pool whose window is such a kernel.
struct Pooling {
  Kernel kernel;
  Rounding rounding = Rounding::ceil;
  PoolOptions on(const Shape& x) const { return {.window = kernel.on(x), .rounding = rounding}; }
};

enum class Activation { none, relu, relu6 };

// How a net fills new weights, and what follows its convolutions.
struct Style {
  Init weight = xavier();
  double bias = 0;
  float bias_rate = 1;    // Caffe's nets learn biases twice as fast
  bool norm = false;      // batch normalisation instead of a bias
  double epsilon = 1e-5;  // of that normalisation
  bool gamma = true;      // whether it also scales; I3D's does not
  Activation activation = Activation::relu;
};

// A weight as the pass computes: itself, its narrow copy, or cast to the input's type (then the gradient is cast back).
Tensor in_type_of(const Parameter& weight, const Tensor& x);

struct Convolved;

// Convolution, then bias or batch normalisation, then the activation. Parameters: NAME.weight and NAME.bias, or with
// normalisation NAME.conv.weight, NAME.bn.weight (gamma), .bias, .running_mean, .running_var (torchvision's names).
class ConvUnit {
 public:
  ConvUnit(Scope at, i64 in, i64 out, Kernel kernel, const Style& style, i64 groups = 1);
  Tensor operator()(const Tensor& x, Pass& pass, const Tensor& into = {}) const;

  // In training, the largest of its windows without its own result, which must then be nobody's to see.
  bool pools(const Pass& pass) const { return mean_ && pass.training && !pass.tap && activation_ != Activation::relu6; }
  Tensor pooled(const Tensor& x, Pass& pass, const Pooling& pool) const;

  // The first half of a unit whose normalisation is not folded into its convolution (normalised_together does the
  // rest), or whose relu the layer behind it takes over, if the unit's own result is nobody's to see.
  bool normalises(const Tensor& x, const Pass& pass) const;
  bool leaves_relu(const Pass& pass) const { return !mean_ && !pass.tap && activation_ == Activation::relu; }
  Tensor convolved(const Tensor& x) const;

 private:
  friend std::vector<Tensor> convolved_together(const Tensor&, const std::vector<const ConvUnit*>&);
  friend std::vector<Tensor> normalised_together(const std::vector<Convolved>&, Pass&);
  Tensor convolution(const Tensor& x) const;  // with the bias, if there is no normalisation
  NormOptions norm(const Pass& pass, const Tensor& into = {}) const;
  NormInput norm_input(const Tensor& z, Pass& pass, const Tensor& into) const;
  Tensor normalised(const Tensor& z, Pass& pass, const Tensor& into) const;
  Tensor folded(const Tensor& x, const Tensor& into) const;
  Tensor activated(Tensor y, Pass& pass) const;
  void add_norm(Scope at, i64 out, bool scales);
  Tensor gamma() const { return gamma_ ? gamma_->value : Tensor(); }

  // Weights with the normalisation folded in, and what they were computed from.
  struct FoldCache {
    std::array<std::uint64_t, 5> stamps{};
    Folded folded;
  };
  std::shared_ptr<FoldCache> fold_ = std::make_shared<FoldCache>();
  std::string name_;
  Kernel kernel_;
  i64 groups_;
  double epsilon_;
  Activation activation_;
  const Parameter *weight_, *bias_ = nullptr, *gamma_ = nullptr;
  Parameter *mean_ = nullptr, *var_ = nullptr;
};

// y = x wᵀ + b, optionally with ReLU. Parameters: NAME.weight, NAME.bias.
class LinearUnit {
 public:
  LinearUnit(Scope at, i64 in, i64 out, const Style& style, bool relu);
  Tensor operator()(const Tensor& x, Pass& pass) const;

 private:
  std::string name_;
  bool relu_;
  const Parameter *weight_, *bias_;
};

// The last state of an LSTM over (N, T, F): (N, units). Parameters: NAME.weight, .recurrent, .bias; forget gates begin
// at 1.
class LstmUnit {
 public:
  LstmUnit(Scope at, i64 in, i64 units);
  Tensor operator()(const Tensor& x, Pass& pass) const;

 private:
  std::string name_;
  const Parameter *weight_, *recurrent_, *bias_;
};

Tensor dropout_if_training(const Tensor& x, double drop, Pass& pass);

}  // namespace dactyl
