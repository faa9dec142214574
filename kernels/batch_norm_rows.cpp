// The loops of batch_norm.cu over one row's channels, compiled for several instruction sets. Sums are doubles.
#include "kernels/batch_norm_rows.h"

#include <algorithm>
#include <vector>

#include "kernels/lanes.h"

namespace dactyl {
namespace {

using Coefficients = NormCoefficients<float>;

VERSIONS void add_row(double* sum, const float* x, i64 n) {
#pragma omp simd
  for (i64 c = 0; c < n; ++c) sum[c] += double(x[c]);
}

VERSIONS void add_squares(double* sum, const float* x, const float* mean, i64 n) {
#pragma omp simd
  for (i64 c = 0; c < n; ++c) {
    const float d = x[c] - mean[c];
    sum[c] += double(d * d);
  }
}

VERSIONS void normalise_row(float* y, const float* x, const Coefficients& given, bool relu, i64 n) {
  const Coefficients k = given;
#pragma omp simd
  for (i64 c = 0; c < n; ++c) {
    const float z = (x[c] - k.mean[c]) * k.scale[c] + k.shift[c];
    y[c] = relu && z < 0 ? 0.0f : z;
  }
}

// dy where relu let the value through.
[[gnu::always_inline]] inline float gradient(float x, float dy, const Coefficients& k, bool relu, i64 c) {
  const float z = (x - k.mean[c]) * k.scale[c] + k.shift[c];
  return relu && !(z > 0) ? 0.0f : dy;
}

VERSIONS void add_gradients(double* of_g, double* of_gx, const float* x, const float* dy, const Coefficients& given,
                            bool relu, i64 n) {
  const Coefficients k = given;
#pragma omp simd
  for (i64 c = 0; c < n; ++c) {
    const float g = gradient(x[c], dy[c], k, relu, c);
    of_g[c] += double(g);
    of_gx[c] += double(g * ((x[c] - k.mean[c]) * k.inverse[c]));
  }
}

VERSIONS void gradient_row(float* dx, const float* x, const float* dy, const Coefficients& given, bool relu,
                           const float* of_g, const float* of_gx, float share, i64 n) {
  const Coefficients k = given;
#pragma omp simd
  for (i64 c = 0; c < n; ++c) {
    const float shared = of_g[c] * share + (x[c] - k.mean[c]) * k.inverse[c] * (of_gx[c] * share);
    dx[c] = k.scale[c] * (gradient(x[c], dy[c], k, relu, c) - shared);
  }
}

// `width` sums over rows, to which add(row, sums) adds one row. The rows are cut into slices by their count alone.
template <class Add>
std::vector<double> sum_rows(i64 rows, i64 width, const Add& add) {
  const i64 slices = std::clamp<i64>(rows / 64, 1, 64), slice = (rows + slices - 1) / slices;
  std::vector<double> sums(static_cast<std::size_t>(slices * width), 0.0);
#pragma omp parallel for schedule(static) if (rows * width >= 8192)
  for (i64 s = 0; s < slices; ++s)
    for (i64 r = s * slice; r < std::min(rows, (s + 1) * slice); ++r) add(r, sums.data() + s * width);
  for (i64 s = 1; s < slices; ++s)
    for (i64 c = 0; c < width; ++c) sums.data()[c] += sums.data()[s * width + c];
  return sums;
}

template <class Body>
void each_row_of(const Tensor& x, const Body& body) {
  const i64 rows = x.shape().rows();
#pragma omp parallel for schedule(static) if (rows * x.shape().channels() >= 4096)
  for (i64 r = 0; r < rows; ++r) body(r);
}

}  // namespace

bool norms_by_rows(const NormArguments& a) {
  return !a.x.device().is_cuda() && a.x.dtype() == DType::f32 && a.options.algorithm != Algorithm::reference;
}

void fit_rows(const NormArguments& a) {
  const i64 rows = a.x.shape().rows(), channels = a.x.shape().channels(), pitch = a.x.pitch();
  const Coefficients k(a.fit);
  const float *x = a.x.data<float>(), *gamma = data_or_null<float>(a.gamma), *beta = data_or_null<float>(a.beta);
  float *mean = a.mean.data<float>(), *var = a.var.data<float>();
  const float momentum = float(a.options.momentum), epsilon = float(a.options.epsilon);
  const std::vector<double> sum =
      sum_rows(rows, channels, [&](i64 r, double* sums) { add_row(sums, x + r * pitch, channels); });
  for (i64 c = 0; c < channels; ++c) k.mean[c] = float(sum.data()[c] / double(rows));
  const std::vector<double> squares =
      sum_rows(rows, channels, [&](i64 r, double* sums) { add_squares(sums, x + r * pitch, k.mean, channels); });
  for (i64 c = 0; c < channels; ++c) {
    k.set(c, float(squares.data()[c] / double(rows)), epsilon, gamma, beta);
    mean[c] += momentum * (k.mean[c] - mean[c]);
    var[c] += momentum * (float(squares.data()[c] / double(rows - 1)) - var[c]);
  }
}

void normalise_rows(const NormArguments& a, const Tensor& result) {
  const Coefficients k(a.fit);
  const i64 x_pitch = a.x.pitch(), y_pitch = result.pitch(), channels = a.x.shape().channels();
  const float* x = a.x.data<float>();
  float* y = result.data<float>();
  each_row_of(a.x, [&](i64 r) { normalise_row(y + r * y_pitch, x + r * x_pitch, k, a.options.relu, channels); });
}

void sum_gradient_rows(const NormArguments& a, const Tensor& dys, const NormSums& sums) {
  const Coefficients k(a.fit);
  const i64 x_pitch = a.x.pitch(), dy_pitch = dys.pitch(), channels = a.x.shape().channels();
  const float *x = a.x.data<float>(), *dy = dys.data<float>();
  const std::vector<double> both = sum_rows(a.x.shape().rows(), 2 * channels, [&](i64 r, double* to) {
    add_gradients(to, to + channels, x + r * x_pitch, dy + r * dy_pitch, k, a.options.relu, channels);
  });
  std::copy_n(both.data(), channels, sums.of_g.data<float>());
  std::copy_n(both.data() + channels, channels, sums.of_gx.data<float>());
}

void normalise_gradient_rows(const NormArguments& a, const Tensor& dys, const NormSums& sums, const Tensor& result) {
  const Coefficients k(a.fit);
  const i64 x_pitch = a.x.pitch(), dy_pitch = dys.pitch(), channels = a.x.shape().channels();
  const float share = share_of_row<float>(a);
  const float *x = a.x.data<float>(), *dy = dys.data<float>(), *of_g = sums.of_g.data<float>(),
              *of_gx = sums.of_gx.data<float>();
  float* dx = result.data<float>();
  const i64 dx_pitch = result.pitch();
  each_row_of(a.x, [&](i64 r) {
    gradient_row(dx + r * dx_pitch, x + r * x_pitch, dy + r * dy_pitch, k, a.options.relu, of_g, of_gx, share,
                 channels);
  });
}

}  // namespace dactyl
