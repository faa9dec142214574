// The largest number of each window, per channel.
#include <limits>

#include "kernels/descriptor.h"
#include "kernels/fast/max_pool.h"
#include "kernels/rows.h"

namespace dactyl {
namespace {

// Index is the type in which a window's tap is noted for the way back; `taps` may be null.
template <class T, class Index>
void forward(Geometry g, const Tensor& xs, const Tensor& ys, Index* taps) {
  using C = compute_t<T>;
  const i64 x_pitch = xs.pitch(), y_pitch = ys.pitch();
  const T* x = xs.data<T>();
  T* y = ys.data<T>();
  each_row(xs.device(), g.rows_out(), g.channels, [=] HD(i64 row, i64 c) {
    C best = -std::numeric_limits<C>::infinity();
    i64 chosen = 0;
    g.each_tap(row, [&](i64 tap, i64 at) {
      const C v = C(x[at * x_pitch + c]);
      if (v > best) {
        best = v;
        chosen = tap;
      }
    });
    y[row * y_pitch + c] = T(best);
    if (taps) taps[row * g.channels + c] = static_cast<Index>(chosen);
  });
}

// Each input number gathers from the windows that chose it.
template <class T, class Index>
void backward(Geometry g, const Tensor& dys, const Index* taps, const Tensor& dxs) {
  using C = compute_t<T>;
  const i64 pitch = dys.pitch();
  const T* dy = dys.data<T>();
  T* dx = dxs.data<T>();
  each_row(dxs.device(), g.rows_in(), g.channels, [=] HD(i64 row, i64 c) {
    C sum = 0;
    g.each_window(row, [&](i64 tap, i64 at) {
      if (static_cast<i64>(taps[at * g.channels + c]) == tap) sum += C(dy[at * pitch + c]);
    });
    dx[row * g.channels + c] = T(sum);
  });
}

// The host's fast path: f32, whole rows of channels at a time.
constexpr int most_taps = 256;

void forward_rows(const Geometry& g, const Tensor& xs, const Tensor& ys, std::uint8_t* taps) {
  const float* x = xs.data<float>();
  float* y = ys.data<float>();
  const i64 x_pitch = xs.pitch(), y_pitch = ys.pitch(), channels = g.channels;
#pragma omp parallel for schedule(static) if (g.rows_out() * channels >= 4096)
  for (i64 row = 0; row < g.rows_out(); ++row) {
    const float* from[most_taps];
    std::uint8_t names[most_taps];
    int count = 0;
    g.each_tap(row, [&](i64 tap, i64 at) {
      from[count] = x + at * x_pitch;
      names[count++] = static_cast<std::uint8_t>(tap);
    });
    if (taps)
      max_rows(y + row * y_pitch, taps + row * channels, from, names, count, channels);
    else
      max_rows(y + row * y_pitch, from, count, channels);
  }
}

void backward_rows(const Geometry& g, const Tensor& dys, const std::uint8_t* taps, const Tensor& dxs) {
  const float* dy = dys.data<float>();
  float* dx = dxs.data<float>();
  const i64 pitch = dys.pitch(), channels = g.channels;
#pragma omp parallel for schedule(static) if (g.rows_in() * channels >= 4096)
  for (i64 row = 0; row < g.rows_in(); ++row) {
    float* sum = dx + row * channels;
    std::fill_n(sum, channels, 0.0f);
    g.each_window(row, [&](i64 tap, i64 at) {
      add_chosen_row(sum, dy + at * pitch, taps + at * channels, static_cast<std::uint8_t>(tap), channels);
    });
  }
}

bool by_rows(const Tensor& x, const Geometry& g, Algorithm algorithm) {
  return algorithm != Algorithm::reference && !x.device().is_cuda() && x.dtype() == DType::f32 && g.taps() <= most_taps;
}

bool by_packs(const Geometry& g, const Tensor& x, const Tensor& y, Algorithm algorithm) {
  return algorithm != Algorithm::reference && x.device().is_cuda() && fast::pools_by_packs(g, x, y);
}

void run_forward(const Geometry& g, const Tensor& x, const Tensor& y, const Tensor& taps, Algorithm algorithm) {
  std::uint8_t* bytes = taps.defined() && g.taps() <= 256 ? taps.data<std::uint8_t>() : nullptr;
  if (by_rows(x, g, algorithm)) return forward_rows(g, x, y, bytes);
  if (by_packs(g, x, y, algorithm)) return fast::max_pool_forward(g, x, y, bytes);
  with_float(x.dtype(), [&]<class T>() {
    if (g.taps() <= 256)
      forward<T>(g, x, y, bytes);
    else
      forward<T>(g, x, y, taps.defined() ? taps.data<std::int32_t>() : nullptr);
  });
}

void run_backward(const Geometry& g, const Tensor& dy, const Tensor& taps, const Tensor& dx, Algorithm algorithm) {
  if (by_rows(dy, g, algorithm)) return backward_rows(g, dy, taps.data<std::uint8_t>(), dx);
  if (by_packs(g, dx, dy, algorithm)) return fast::max_pool_backward(g, dy, taps.data<std::uint8_t>(), dx);
  with_float(dy.dtype(), [&]<class T>() {
    if (g.taps() <= 256)
      backward<T>(g, dy, taps.data<std::uint8_t>(), dx);
    else
      backward<T>(g, dy, taps.data<std::int32_t>(), dx);
  });
}

}  // namespace

Tensor max_pool(const Tensor& x, const PoolOptions& options) {
  const Shape shape = output_shape(x.shape(), options.window, x.shape().channels(), options.rounding);
  const Geometry g = geometry(x.shape(), shape, options.window);
  check(g.meets_input(), "max_pool: padding {} and {} leaves windows {} of {} empty", options.window.low,
        options.window.high, options.window.kernel, x.shape());
  const Tensor y = result("max_pool", options.into, shape, x);
  Tensor taps;
  if (recording({x})) taps = Tensor(shape, g.taps() <= 256 ? DType::u8 : DType::i32, x.device());
  const Algorithm algorithm = options.algorithm;
  run_forward(g, x, y, taps, algorithm);
  if (tracing()) trace_what(to_text(describe(Descriptor::Kind::max_pool, x, options)));
  return record("max_pool", {x}, y, [g, taps, algorithm, x_shape = x.shape()](const Tensor& dy) {
    Tensor dx(x_shape, dy.dtype(), dy.device());
    run_backward(g, dy, taps, dx, algorithm);
    return Grads{dx};
  });
}

}  // namespace dactyl
