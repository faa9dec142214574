// y_c = x_c·s_c^−β, s_c = k + α/n·Σ x_j² over the n channels around c; channels outside count as 0.
// AlexNet (Krizhevsky et al. 2012), section 3.3, with the α/n of Caffe and PyTorch.
// dx_c = dy_c·s_c^−β − 2β·α/n·x_c·Σ dy_j·x_j·s_j^(−β−1) over the same n channels.
#include <vector>

#include "engine/each.h"
#include "kernels/descriptor.h"
#include "kernels/fast/lrn.h"

namespace dactyl {
namespace {

template <class C>
struct Lrn {
  i64 channels, half;
  C k, a, beta;

  Lrn(const Tensor& x, const LrnOptions& o)
      : channels(x.shape().channels()),
        half(o.size / 2),
        k(C(o.k)),
        a(C(o.alpha / static_cast<double>(o.size))),
        beta(C(o.beta)) {}

  // s^−β; roots instead of a power for the usual β.
  HD C power(C s) const { return beta == C(0.75) ? 1 / (std::sqrt(s) * std::sqrt(std::sqrt(s))) : std::pow(s, -beta); }
  HD i64 first(i64 c) const { return c < half ? 0 : c - half; }
  HD i64 last(i64 c) const { return c + half < channels ? c + half : channels - 1; }
  template <class T>
  HD C scale(const T* row, i64 c) const {
    C sum = 0;
    for (i64 j = first(c); j <= last(c); ++j) sum += C(row[j]) * C(row[j]);
    return k + a * sum;
  }
};

// Element by element: what a GPU runs, and the oracle in f64.
template <class T, class C>
void forward_each(const Lrn<C>& g, Device device, i64 rows, const T* x, T* y) {
  each_row(device, rows, g.channels, [=] HD(i64 r, i64 c) {
    const i64 i = r * g.channels + c;
    y[i] = T(C(x[i]) * g.power(g.scale(x + r * g.channels, c)));
  });
}

template <class T, class C>
void backward_each(const Lrn<C>& g, Device device, i64 rows, const T* x, const T* dy, T* dx) {
  Tensor scratch({rows, g.channels}, dtype_of<C>(), device);
  C* ratio = scratch.data<C>();
  each_row(device, rows, g.channels, [=] HD(i64 r, i64 c) {
    const i64 i = r * g.channels + c;
    const C s = g.scale(x + r * g.channels, c);
    ratio[i] = C(dy[i]) * C(x[i]) * g.power(s) / s;
  });
  each_row(device, rows, g.channels, [=] HD(i64 r, i64 c) {
    const i64 row = r * g.channels, i = row + c;
    C sum = 0;
    for (i64 j = g.first(c); j <= g.last(c); ++j) sum += ratio[row + j];
    dx[i] = T(C(dy[i]) * g.power(g.scale(x + row, c)) - 2 * g.beta * g.a * C(x[i]) * sum);
  });
}

// Row by row on the CPU: every loop runs over neighbouring channels without a condition, so it vectorises.
template <class T, class C>
class RowLrn {
 public:
  explicit RowLrn(const Lrn<C>& g)
      : g_(g), padded_(static_cast<std::size_t>(g.channels + 2 * g.half), C(0)), scale_(size()), power_(size()) {}

  void forward(const T* x, T* y) {
    prepare(x);
    for (i64 c = 0; c < g_.channels; ++c) y[c] = T(C(x[c]) * power_.data()[c]);
  }

  void backward(const T* x, const T* dy, T* dx) {
    prepare(x);
    C *inner = padded_.data() + g_.half, *s = scale_.data();
    const C* p = power_.data();
    for (i64 c = 0; c < g_.channels; ++c) inner[c] = C(dy[c]) * C(x[c]) * p[c] / s[c];
    window_sums(s);
    const C factor = 2 * g_.beta * g_.a;
    for (i64 c = 0; c < g_.channels; ++c) dx[c] = T(C(dy[c]) * p[c] - factor * C(x[c]) * s[c]);
  }

 private:
  std::size_t size() const { return static_cast<std::size_t>(g_.channels); }

  void prepare(const T* x) {
    const Lrn<C> g = g_;
    C *inner = padded_.data() + g.half, *s = scale_.data(), *p = power_.data();
    for (i64 c = 0; c < g.channels; ++c) inner[c] = C(x[c]) * C(x[c]);
    window_sums(s);
    for (i64 c = 0; c < g.channels; ++c) s[c] = g.k + g.a * s[c];
    for (i64 c = 0; c < g.channels; ++c) p[c] = g.power(s[c]);
  }

  void window_sums(C* sums) const {
    const C* padded = padded_.data();
    for (i64 c = 0; c < g_.channels; ++c) sums[c] = padded[c];
    for (i64 j = 1; j <= 2 * g_.half; ++j)
      for (i64 c = 0; c < g_.channels; ++c) sums[c] += padded[c + j];
  }

  Lrn<C> g_;
  std::vector<C> padded_;  // half zeros before and after the channels
  std::vector<C> scale_, power_;
};

template <class T>
void forward(const Tensor& x, const Tensor& y, const LrnOptions& options) {
  using C = compute_t<T>;
  const Lrn<C> g(x, options);
  const i64 rows = x.shape().rows();
  if (x.device().is_cuda() || x.dtype() == DType::f64 || options.algorithm == Algorithm::reference)
    return forward_each(g, x.device(), rows, x.data<T>(), y.data<T>());
#pragma omp parallel if (x.count() >= 4096)
  {
    RowLrn<T, C> row(g);
#pragma omp for schedule(static)
    for (i64 r = 0; r < rows; ++r) row.forward(x.data<T>() + r * g.channels, y.data<T>() + r * g.channels);
  }
}

template <class T>
void backward(const Tensor& x, const Tensor& dy, const Tensor& dx, const LrnOptions& options) {
  using C = compute_t<T>;
  const Lrn<C> g(x, options);
  const i64 rows = x.shape().rows();
  if (x.device().is_cuda() || x.dtype() == DType::f64 || options.algorithm == Algorithm::reference)
    return backward_each(g, x.device(), rows, x.data<T>(), dy.data<T>(), dx.data<T>());
#pragma omp parallel if (x.count() >= 4096)
  {
    RowLrn<T, C> row(g);
#pragma omp for schedule(static)
    for (i64 r = 0; r < rows; ++r)
      row.backward(x.data<T>() + r * g.channels, dy.data<T>() + r * g.channels, dx.data<T>() + r * g.channels);
  }
}

// y: the result or its gradient.
bool by_packs(const Tensor& x, const Tensor& y, const LrnOptions& options) {
  return options.algorithm != Algorithm::reference && x.device().is_cuda() && fast::lrn_by_packs(x, options) &&
         packed(y);
}

void run_forward(const Tensor& x, const Tensor& y, const LrnOptions& options) {
  if (by_packs(x, y, options)) return fast::lrn_forward(x, y, options);
  with_float(x.dtype(), [&]<class T>() { forward<T>(x, y, options); });
}

void run_backward(const Tensor& x, const Tensor& dy, const Tensor& dx, const LrnOptions& options) {
  if (by_packs(x, dy, options)) return fast::lrn_backward(x, dy, dx, options);
  with_float(x.dtype(), [&]<class T>() { backward<T>(x, dy, dx, options); });
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
