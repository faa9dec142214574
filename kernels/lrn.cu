// y_c = x_c·s_c^−β, s_c = k + α/n·Σ x_j² over the n channels around c; channels outside count as 0.
// AlexNet (Krizhevsky et al. 2012), section 3.3, with the α/n of Caffe and PyTorch.
// dx_c = dy_c·s_c^−β − 2β·α/n·x_c·Σ dy_j·x_j·s_j^(−β−1) over the same n channels.
// With relu, x_c is max(0, x_c) in both, and dx_c is 0 where that is 0.
#include "engine/each.h"
#include "kernels/descriptor.h"
#include "kernels/fast/lrn.h"
#include "kernels/lrn_rows.h"

namespace dactyl {
namespace {

template <class C>
struct Lrn {
  i64 channels, half;
  C k, a, beta;
  bool relu;

  Lrn(const Tensor& x, const LrnOptions& o)
      : channels(x.shape().channels()),
        half(std::min<i64>(o.size / 2, x.shape().channels())),  // beyond the channels there is nothing
        k(C(o.k)),
        a(C(o.alpha / static_cast<double>(o.size))),
        beta(C(o.beta)),
        relu(o.relu) {}

  template <class T>
  HD C value(T x) const {
    return relu && C(x) <= 0 ? C(0) : C(x);  // a NaN stays visible
  }
  // The gradient of x from that of its value.
  template <class T>
  HD T gradient(T x, C of_value) const {
    return T(relu && !(C(x) > 0) ? C(0) : of_value);
  }

  // s^−β; roots instead of a power for the usual β.
  HD C power(C s) const { return beta == C(0.75) ? 1 / (std::sqrt(s) * std::sqrt(std::sqrt(s))) : std::pow(s, -beta); }
  HD i64 first(i64 c) const { return c < half ? 0 : c - half; }
  HD i64 last(i64 c) const { return c + half < channels ? c + half : channels - 1; }
  template <class T>
  HD C scale(const T* row, i64 c) const {
    C sum = 0;
    for (i64 j = first(c); j <= last(c); ++j) sum += value(row[j]) * value(row[j]);
    return k + a * sum;
  }
};

// Element by element: what a GPU runs, and the oracle in f64.
template <class T, class C>
void forward_each(const Lrn<C>& g, Device device, i64 rows, const T* x, T* y) {
  each_row(device, rows, g.channels, [=] HD(i64 r, i64 c) {
    const i64 i = r * g.channels + c;
    y[i] = T(g.value(x[i]) * g.power(g.scale(x + r * g.channels, c)));
  });
}

template <class T, class C>
void backward_each(const Lrn<C>& g, Device device, i64 rows, const T* x, const T* dy, T* dx) {
  Tensor scratch({rows, g.channels}, dtype_of<C>(), device);
  C* ratio = scratch.data<C>();
  each_row(device, rows, g.channels, [=] HD(i64 r, i64 c) {
    const i64 i = r * g.channels + c;
    const C s = g.scale(x + r * g.channels, c);
    ratio[i] = C(dy[i]) * g.value(x[i]) * g.power(s) / s;
  });
  each_row(device, rows, g.channels, [=] HD(i64 r, i64 c) {
    const i64 row = r * g.channels, i = row + c;
    C sum = 0;
    for (i64 j = g.first(c); j <= g.last(c); ++j) sum += ratio[row + j];
    const C power = g.power(g.scale(x + row, c));
    dx[i] = g.gradient(x[i], C(dy[i]) * power - 2 * g.beta * g.a * g.value(x[i]) * sum);
  });
}

// Row by row on the CPU: row(rows, r) for each, with scratch of its thread.
template <class Row>
void each_lrn_row(const Tensor& x, const LrnOptions& options, const Row& row) {
  const Lrn<float> g(x, options);
  const i64 rows = x.shape().rows();
#pragma omp parallel if (x.count() >= 4096)
  {
    LrnRows scratch(g.channels, g.half, g.k, g.a, g.beta, g.relu);
#pragma omp for schedule(static)
    for (i64 r = 0; r < rows; ++r) row(scratch, r * g.channels);
  }
}

bool by_rows(const Tensor& x, const LrnOptions& options) {
  return options.algorithm != Algorithm::reference && !x.device().is_cuda() && x.dtype() == DType::f32;
}

// y: the result or its gradient.
bool by_packs(const Tensor& x, const Tensor& y, const LrnOptions& options) {
  return options.algorithm != Algorithm::reference && x.device().is_cuda() && fast::lrn_by_packs(x, options) &&
         packed(y);
}

void run_forward(const Tensor& x, const Tensor& y, const LrnOptions& options) {
  if (by_packs(x, y, options)) return fast::lrn_forward(x, y, options);
  if (by_rows(x, options))
    return each_lrn_row(x, options,
                        [&](LrnRows& rows, i64 i) { rows.forward(x.data<float>() + i, y.data<float>() + i); });
  with_float(x.dtype(), [&]<class T>() {
    forward_each(Lrn<compute_t<T>>(x, options), x.device(), x.shape().rows(), x.data<T>(), y.data<T>());
  });
}

void run_backward(const Tensor& x, const Tensor& dy, const Tensor& dx, const LrnOptions& options) {
  if (by_packs(x, dy, options)) return fast::lrn_backward(x, dy, dx, options, fast::lrn_wants_pairs(x));
  if (by_rows(x, options))
    return each_lrn_row(x, options, [&](LrnRows& rows, i64 i) {
      rows.backward(x.data<float>() + i, dy.data<float>() + i, dx.data<float>() + i);
    });
  with_float(x.dtype(), [&]<class T>() {
    backward_each(Lrn<compute_t<T>>(x, options), x.device(), x.shape().rows(), x.data<T>(), dy.data<T>(), dx.data<T>());
  });
}

}  // namespace

Tensor lrn(const Tensor& x, const LrnOptions& options) {
  check(options.size > 0 && options.size % 2 == 1, "lrn: size {} is not odd; x has shape {}", options.size, x.shape());
  const Tensor dense = x.dense();
  Tensor y = empty_like(x);
  run_forward(dense, y, options);
  if (tracing()) trace_what(to_text(describe(x, options)));
  return record("lrn", {x}, y, [x = dense.detached(), options](const Tensor& dy) {
    Tensor dx = empty_like(x);
    run_backward(x, dy.dense(), dx, options);
    return Grads{dx};
  });
}

}  // namespace dactyl
