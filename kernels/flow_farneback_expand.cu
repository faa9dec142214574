// Polynomial expansion: each pixel's neighbourhood as a quadratic polynomial. Farnebäck 2003, section 3.
#include "engine/each.h"
#include "kernels/fast/flow_farneback.h"
#include "kernels/flow_farneback_rows.h"

namespace dactyl::farneback {
namespace {

// Columns in f32, across them in f64: the coefficients are small differences of sums of large grey values.
template <class T>
void expand_each(const Fit& fit, Device device, i64 rows, i64 height, i64 width, const T* x, T* y) {
  each_row(device, rows, width, [=] HD(i64 r, i64 c) {
    const i64 n = r / height, row = r % height, plane = height * width;
    const T* image = x + n * plane;
    Moments sum;
    for (int i = -fit.n; i <= fit.n; ++i) {
      const T* column = image + clamped(c + i, width);
      T one = column[row * width] * fit.g[0], down = 0, square = 0;
      for (int j = 1; j <= fit.n; ++j) {
        const T above = column[clamped(row - j, height) * width], below = column[clamped(row + j, height) * width];
        one += fit.g[j] * (above + below);
        down += fit.xg[j] * (below - above);
        square += fit.xxg[j] * (above + below);
      }
      const int at = i < 0 ? -i : i;
      const double g = fit.g[at], xg = i < 0 ? -fit.xg[at] : fit.xg[at], xxg = fit.xxg[at];
      sum.one += one * g, sum.x += one * xg, sum.xx += one * xxg;
      sum.y += down * g, sum.xy += down * xg, sum.yy += square * g;
    }
    T k[coefficients];
    coefficients_of(fit, sum, k);
    for (int i = 0; i < coefficients; ++i) y[(n * coefficients + i) * plane + row * width + c] = k[i];
  });
}

}  // namespace

void expand(const Tensor& image, const Fit& fit, const Tensor& polynomials, bool reference) {
  const Shape& s = image.shape();
  const i64 rows = s[0] * s[1], h = s[1], w = s[2];
  const float* x = image.data<float>();
  float* y = polynomials.data<float>();
#ifdef __CUDACC__
  if (image.device().is_cuda() && !reference) return expand_fast(image, fit, polynomials);
#endif
  if (reference || image.device().is_cuda()) return expand_each(fit, image.device(), rows, h, w, x, y);
#pragma omp parallel for schedule(static)
  for (i64 r = 0; r < rows; ++r) expand_row(fit, x + r / h * h * w, h, w, r % h, y + r / h * coefficients * h * w);
}

}  // namespace dactyl::farneback
