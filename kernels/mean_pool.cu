// The mean of each window, per channel; and of the whole image.
#include "kernels/descriptor.h"
#include "kernels/fast/max_pool.h"
#include "kernels/fast/mean_pool.h"
#include "kernels/geometry.h"
#include "kernels/rows.h"

namespace dactyl {
namespace {

// 1 / how many places of a window lie in the input or its padding: Caffe divides by those, zeros of the padding and
// all.
HD double share(const Geometry& g, i64 output_row) {
  const Place p = Geometry::place(g.out, output_row);
  const i64 at[3] = {p.d, p.h, p.w};
  i64 places = 1;
  for (int i = 0; i < 3; ++i) {
    const i64 first = at[i] * g.stride[i] - g.low[i];
    const i64 end = first + g.kernel[i], limit = g.in[i] + g.high[i];
    places *= (end < limit ? end : limit) - first;
  }
  return 1.0 / static_cast<double>(places);
}

template <class T>
void forward(Geometry g, const Tensor& xs, const Tensor& ys) {
  using C = compute_t<T>;
  const i64 x_pitch = xs.pitch(), y_pitch = ys.pitch();
  const T* x = xs.data<T>();
  T* y = ys.data<T>();
  each_row(xs.device(), g.rows_out(), g.channels, [=] HD(i64 row, i64 c) {
    C sum = 0;
    g.each_tap(row, [&](i64, i64 at) { sum += C(x[at * x_pitch + c]); });
    y[row * y_pitch + c] = T(sum * C(share(g, row)));
  });
}

template <class T>
void backward(Geometry g, const Tensor& dys, const Tensor& dxs) {
  using C = compute_t<T>;
  const i64 pitch = dys.pitch();
  const T* dy = dys.data<T>();
  T* dx = dxs.data<T>();
  each_row(dxs.device(), g.rows_in(), g.channels, [=] HD(i64 row, i64 c) {
    C sum = 0;
    g.each_window(row, [&](i64, i64 at) { sum += C(share(g, at)) * C(dy[at * pitch + c]); });
    dx[row * g.channels + c] = T(sum);
  });
}

// The host's fast path: f32, whole rows of channels at a time.
void forward_rows(const Geometry& g, const Tensor& xs, const Tensor& ys) {
  const float* x = xs.data<float>();
  float* y = ys.data<float>();
  const i64 x_pitch = xs.pitch(), y_pitch = ys.pitch();
#pragma omp parallel for schedule(static) if (g.rows_out() * g.channels >= 4096)
  for (i64 row = 0; row < g.rows_out(); ++row) {
    float* sum = y + row * y_pitch;
    std::fill_n(sum, g.channels, 0.0f);
    g.each_tap(row, [&](i64, i64 at) { add_row(sum, x + at * x_pitch, g.channels); });
    scale_row(sum, static_cast<float>(share(g, row)), g.channels);
  }
}

void backward_rows(const Geometry& g, const Tensor& dys, const Tensor& dxs) {
  const float* dy = dys.data<float>();
  float* dx = dxs.data<float>();
  const i64 pitch = dys.pitch();
#pragma omp parallel for schedule(static) if (g.rows_in() * g.channels >= 4096)
  for (i64 row = 0; row < g.rows_in(); ++row) {
    float* sum = dx + row * g.channels;
    std::fill_n(sum, g.channels, 0.0f);
    g.each_window(
        row, [&](i64, i64 at) { add_scaled_row(sum, dy + at * pitch, static_cast<float>(share(g, at)), g.channels); });
  }
}

bool by_rows(const Tensor& x, Algorithm algorithm) {
  return algorithm != Algorithm::reference && !x.device().is_cuda() && x.dtype() == DType::f32;
}

bool by_packs(const Geometry& g, const Tensor& x, const Tensor& y, Algorithm algorithm) {
  return algorithm != Algorithm::reference && x.device().is_cuda() && fast::pools_by_packs(g, x, y);
}

void run_forward(const Geometry& g, const Tensor& x, const Tensor& y, Algorithm algorithm) {
  if (by_rows(x, algorithm)) return forward_rows(g, x, y);
  if (by_packs(g, x, y, algorithm)) return fast::mean_pool_forward(g, x, y);
  with_float(x.dtype(), [&]<class T>() { forward<T>(g, x, y); });
}

void run_backward(const Geometry& g, const Tensor& dy, const Tensor& dx, Algorithm algorithm) {
  if (by_rows(dy, algorithm)) return backward_rows(g, dy, dx);
  if (by_packs(g, dx, dy, algorithm)) return fast::mean_pool_backward(g, dy, dx);
  with_float(dy.dtype(), [&]<class T>() { backward<T>(g, dy, dx); });
}

template <class T>
void global_forward(const Tensor& xs, const Tensor& ys, i64 places) {
  using C = compute_t<T>;
  const i64 channels = xs.shape().channels(), pitch = xs.pitch();
  const T* x = xs.data<T>();
  T* y = ys.data<T>();
  each_row(xs.device(), xs.shape()[0], channels, [=] HD(i64 n, i64 c) {
    C sum = 0;
    for (i64 i = 0; i < places; ++i) sum += C(x[(n * places + i) * pitch + c]);
    y[n * channels + c] = T(sum / C(places));
  });
}

template <class T>
void global_backward(const Tensor& dys, const Tensor& dxs, i64 places) {
  using C = compute_t<T>;
  const i64 channels = dxs.shape().channels(), pitch = dys.pitch();
  const T* dy = dys.data<T>();
  T* dx = dxs.data<T>();
  each_row(dxs.device(), dxs.shape().rows(), channels,
           [=] HD(i64 row, i64 c) { dx[row * channels + c] = T(C(dy[row / places * pitch + c]) / C(places)); });
}

// One window as large as an image, seen as rows of one pixel. By packs the sum is multiplied by a share, elsewhere
// divided.
Geometry whole(const Tensor& x) {
  Geometry g;
  g.batch = x.shape()[0], g.channels = x.shape().channels();
  g.in[2] = g.kernel[2] = x.shape().rows() / g.batch;
  return g;
}

// The host's fast path of global_mean.
void global_rows(const Tensor& xs, const Tensor& ys, i64 places) {
  const float* x = xs.data<float>();
  float* y = ys.data<float>();
  const i64 samples = xs.shape()[0], channels = xs.shape().channels(), pitch = xs.pitch();
#pragma omp parallel for schedule(static) if (samples * places * channels >= 65536)
  for (i64 n = 0; n < samples; ++n) {
    float* sum = y + n * channels;
    std::fill_n(sum, channels, 0.0f);
    for (i64 i = 0; i < places; ++i) add_row(sum, x + (n * places + i) * pitch, channels);
    scale_row(sum, 1 / static_cast<float>(places), channels);
  }
}

}  // namespace

Tensor mean_pool(const Tensor& x, const PoolOptions& options) {
  const Shape shape = output_shape(x.shape(), options.window, x.shape().channels(), options.rounding);
  const Geometry g = geometry(x.shape(), shape, options.window);
  const Tensor y = result("mean_pool", options.into, shape, x);
  const Algorithm algorithm = options.algorithm;
  run_forward(g, x, y, algorithm);
  if (tracing()) trace_what(to_text(describe(Descriptor::Kind::mean_pool, x, options)));
  return record("mean_pool", {x}, y, [g, algorithm, x_shape = x.shape()](const Tensor& dy) {
    Tensor dx(x_shape, dy.dtype(), dy.device());
    run_backward(g, dy, dx, algorithm);
    return Grads{dx};
  });
}

Tensor global_mean(const Tensor& x) {
  const Shape shape = x.shape();
  check(shape.rank() >= 2 && shape.count() > 0, "global_mean: x {} needs a batch, channels and something between",
        shape);
  const i64 places = shape.rows() / shape[0];
  Tensor y({shape[0], shape.channels()}, x.dtype(), x.device());
  const Geometry g = whole(x);
  if (by_rows(x, Algorithm::automatic))
    global_rows(x, y, places);
  else if (by_packs(g, x, y, Algorithm::automatic))
    fast::mean_pool_forward(g, x, y);
  else
    with_float(x.dtype(), [&]<class T>() { global_forward<T>(x, y, places); });
  return record("global_mean", {x}, y, [shape, places](const Tensor& dy) {
    Tensor dx(shape, dy.dtype(), dy.device());
    with_float(dy.dtype(), [&]<class T>() { global_backward<T>(dy, dx, places); });
    return Grads{dx};
  });
}

}  // namespace dactyl
