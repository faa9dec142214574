// loss = 1/n·Σ weight·(−Σ_c target_c·log softmax(x)_c), target = (1 − s)·onehot + s/C, over the n samples with a label.
// dx = weight/n·(softmax(x) − target), computed in the forward pass while x is at hand.
#include "engine/reduce.h"
#include "kernels/exp_sum.h"
#include "kernels/ops.h"

namespace dactyl {
namespace {

// Of one row: what the logarithm of softmax needs, and Σ x for the smoothed target.
template <class C>
struct RowSums {
  ExpSum<C> exps;
  C sum = 0;
  HD RowSums& operator+=(const RowSums& o) {
    exps += o.exps;
    sum += o.sum;
    return *this;
  }
};

template <class C>
struct Rows {
  C *largest, *exp_sum, *loss;  // one per row
  explicit Rows(const Tensor& t)
      : largest(t.data<C>()), exp_sum(largest + t.shape()[1]), loss(exp_sum + t.shape()[1]) {}
};

struct Arguments {
  Tensor x, labels, class_weights;
  double smoothing;
  Tensor rows;   // (3, N): see Rows
  Tensor loss;   // (1)
  Tensor share;  // (1): 1/n
};

template <class C>
const C* weights_of(const Arguments& a) {
  return a.class_weights.defined() ? a.class_weights.data<C>() : nullptr;
}

// A label beyond the classes cannot be reported from a GPU without waiting for it: the loss becomes NaN.
template <class T>
void row_losses(const Arguments& a) {
  using C = compute_t<T>;
  const i64 samples = a.x.shape()[0], classes = a.x.shape()[1];
  const T* x = a.x.data<T>();
  const std::int32_t* labels = a.labels.data<std::int32_t>();
  const C* weights = weights_of<C>(a);
  const C smoothing = C(a.smoothing);
  const Rows<C> rows(a.rows);
  fold_rows<RowSums<C>>(
      a.x.device(), samples, classes,
      [=] HD(i64 r, i64 c) {
        const C v = C(x[r * classes + c]);
        return RowSums<C>{{v, 1}, v};
      },
      [=] HD(i64 r, RowSums<C> s) {
        rows.largest[r] = s.exps.largest;
        rows.exp_sum[r] = s.exps.sum;
        const i64 label = labels[r];
        const C of_label = label < 0 ? C(0) : label < classes ? C(x[r * classes + label]) : C(NAN);
        const C target_x = (1 - smoothing) * of_label + smoothing * s.sum / C(classes);
        const C weight = weights && label >= 0 && label < classes ? weights[label] : C(1);
        rows.loss[r] = label < 0 ? C(0) : weight * (s.exps.largest + std::log(s.exps.sum) - target_x);
      });
}

template <class C>
void mean_loss(const Arguments& a) {
  const Rows<C> rows(a.rows);
  const std::int32_t* labels = a.labels.data<std::int32_t>();
  C *loss = a.loss.data<C>(), *share = a.share.data<C>();
  fold_rows<Two<C>>(
      a.x.device(), 1, a.x.shape()[0],
      [=] HD(i64, i64 r) {
        return Two<C>{rows.loss[r], labels[r] < 0 ? C(0) : C(1)};
      },
      [=] HD(i64, Two<C> s) {
        *share = s.b > 0 ? 1 / s.b : C(0);
        *loss = s.a * *share;
      });
}

template <class T>
void gradient(const Arguments& a, const Tensor& result) {
  using C = compute_t<T>;
  const i64 samples = a.x.shape()[0], classes = a.x.shape()[1];
  const T* x = a.x.data<T>();
  T* dx = result.data<T>();
  const std::int32_t* labels = a.labels.data<std::int32_t>();
  const C *weights = weights_of<C>(a), *share = a.share.data<C>();
  const C smoothing = C(a.smoothing);
  const Rows<C> rows(a.rows);
  each_row(a.x.device(), samples, classes, [=] HD(i64 r, i64 c) {
    const i64 i = r * classes + c, label = labels[r];
    const C weight = label < 0 ? C(0) : weights && label < classes ? weights[label] : C(1);
    const C target = (label == c ? 1 - smoothing : C(0)) + smoothing / C(classes);
    dx[i] = T(label < 0 ? C(0) : weight * *share * (std::exp(C(x[i]) - rows.largest[r]) / rows.exp_sum[r] - target));
  });
}

// The saved gradient is used once, so it is scaled where it lies; dy stays on the device.
template <class T>
void scale_by(const Tensor& x, const Tensor& factor) {
  using C = compute_t<T>;
  T* numbers = x.data<T>();
  const C* f = factor.data<C>();
  each(x.device(), x.count(), [=] HD(i64 i) { numbers[i] = T(C(numbers[i]) * *f); });
}

void check_arguments(const Arguments& a) {
  const Shape& shape = a.x.shape();
  check(shape.rank() == 2 && shape[1] > 0 && a.labels.shape() == Shape{shape[0]} && a.labels.dtype() == DType::i32,
        "cross_entropy: x {} needs i32 labels, one per row; they are {} {}", shape, a.labels.dtype(), a.labels.shape());
  check(!a.class_weights.defined() || a.class_weights.shape() == Shape{shape[1]},
        "cross_entropy: x {} has {} classes, the class weights have shape {}", shape, shape[1],
        a.class_weights.defined() ? a.class_weights.shape() : shape);
  check(a.smoothing >= 0 && a.smoothing <= 1, "cross_entropy: smoothing {} is not between 0 and 1", a.smoothing);
  if (a.x.device().is_cuda()) return;
  for (i64 i = 0; i < shape[0]; ++i)
    check(Exit::data, a.labels.data<std::int32_t>()[i] < shape[1],
          "cross_entropy: label {} of sample {}; x {} has {} classes", a.labels.data<std::int32_t>()[i], i, shape,
          shape[1]);
}

}  // namespace

Tensor cross_entropy(const Tensor& x, const Tensor& labels, const CrossEntropyOptions& options) {
  const DType wide = x.dtype() == DType::f64 ? DType::f64 : DType::f32;
  Arguments a{x.dense().detached(), labels, options.class_weights, options.smoothing, {}, {}, {}};
  check_arguments(a);
  if (a.class_weights.defined()) a.class_weights = a.class_weights.to(wide);
  a.rows = Tensor({3, x.shape()[0]}, wide, x.device());
  a.loss = Tensor({1}, wide, x.device());
  a.share = Tensor({1}, wide, x.device());
  Tensor dx = recording({x}) ? empty_like(x) : Tensor();
  with_float(x.dtype(), [&]<class T>() {
    row_losses<T>(a);
    mean_loss<compute_t<T>>(a);
    if (dx.defined()) gradient<T>(a, dx);
  });
  return record("cross_entropy", {x}, a.loss, [dx](const Tensor& dy) {
    with_float(dx.dtype(), [&]<class T>() { scale_by<T>(dx, dy); });
    return Grads{dx};
  });
}

}  // namespace dactyl
