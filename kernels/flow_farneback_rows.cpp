// Row loops of Farnebäck's flow. The compiler makes one version per instruction set and picks when loading.
#include "kernels/flow_farneback_rows.h"

#include <algorithm>
#include <cstring>

#include "kernels/flow_farneback_steps.h"

#if defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__)
#define VERSIONS __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define VERSIONS
#endif

namespace dactyl::farneback {
namespace {

// Eight neighbouring numbers. Rows that are read so have room for eight more behind their end.
constexpr i64 lanes = 8;
using Floats [[gnu::vector_size(lanes * sizeof(float)), gnu::aligned(sizeof(float)), gnu::may_alias]] = float;
using Doubles [[gnu::vector_size(lanes * sizeof(double)), gnu::aligned(sizeof(double)), gnu::may_alias]] = double;

// Rows of numbers with `pad` more at either end, and the eight.
template <class T>
class Rows {
 public:
  Rows(int rows, i64 width, i64 pad)
      : width_(width), pad_(pad), step_(width + 2 * pad + lanes), all_(static_cast<std::size_t>(rows * step_)) {}
  T* operator[](int row) { return all_.data() + row * step_ + pad_; }
  void repeat_ends(int row) {
    T* x = (*this)[row];
    std::fill(x - pad_, x, x[0]);
    std::fill(x + width_, x + width_ + pad_, x[width_ - 1]);
  }

 private:
  i64 width_, pad_, step_;
  std::vector<T> all_;
};

[[gnu::always_inline]] inline const Floats& at(const float* x) { return *reinterpret_cast<const Floats*>(x); }
[[gnu::always_inline]] inline const Doubles& at(const double* x) { return *reinterpret_cast<const Doubles*>(x); }
[[gnu::always_inline]] inline void put(float* to, const Doubles& x, i64 count) {
  const Floats narrow = __builtin_convertvector(x, Floats);
  if (count >= lanes)
    *reinterpret_cast<Floats*>(to) = narrow;
  else
    for (i64 l = 0; l < count; ++l) to[l] = narrow[l];
}

}  // namespace

VERSIONS void shrink_row(const Line& across, const Line& down, const float* frame, i64 y, float* out) {
  const i64 width = across.old_size, pad = across.taps / 2, taps = across.taps;
  Rows<float> rows(1, width, pad);
  float* sum = rows[0];
  for (i64 j = 0; j < down.taps; ++j) {
    const float weight = down.weights[static_cast<std::size_t>(y * down.taps + j)];
    if (weight == 0) continue;
    const float* from = frame + mirrored(down.first[static_cast<std::size_t>(y)] + j, down.old_size) * width;
#pragma omp simd
    for (i64 x = 0; x < width; ++x) sum[x] += weight * from[x];
  }
  for (i64 x = 1; x <= pad; ++x) {
    sum[-x] = sum[mirrored(-x, width)];
    sum[width - 1 + x] = sum[mirrored(width - 1 + x, width)];
  }
  const float* weights = across.weights.data();
  if (across.size == width) {  // every number has the same weights
    std::fill_n(out, width, 0.0f);
    for (i64 j = 0; j < taps; ++j) {
      const float* from = sum + across.first[0] + j;
#pragma omp simd
      for (i64 x = 0; x < width; ++x) out[x] += weights[j] * from[x];
    }
    return;
  }
  for (i64 x = 0; x < across.size; ++x, weights += taps) {
    const float* from = sum + across.first[static_cast<std::size_t>(x)];
    float total = 0;
    for (i64 j = 0; j < taps; ++j) total += weights[j] * from[j];
    out[x] = total;
  }
}

VERSIONS void expand_row(const Fit& fit, const float* image, i64 height, i64 width, i64 y, float* planes) {
  Rows<float> rows(3, width, fit.n);
  float *one = rows[0], *down = rows[1], *square = rows[2];
#pragma omp simd
  for (i64 x = 0; x < width; ++x) one[x] = image[y * width + x] * fit.g[0];
  for (int j = 1; j <= fit.n; ++j) {
    const float *above = image + clamped(y - j, height) * width, *below = image + clamped(y + j, height) * width;
    const float g = fit.g[j], xg = fit.xg[j], xxg = fit.xxg[j];
#pragma omp simd
    for (i64 x = 0; x < width; ++x) {
      one[x] += g * (above[x] + below[x]);
      down[x] += xg * (below[x] - above[x]);
      square[x] += xxg * (above[x] + below[x]);
    }
  }
  for (int k = 0; k < 3; ++k) rows.repeat_ends(k);
  for (i64 x = 0; x < width; x += lanes) {
    const double g0 = fit.g[0];
    Doubles s_1 = __builtin_convertvector(at(one + x), Doubles) * g0,
            s_y = __builtin_convertvector(at(down + x), Doubles) * g0,
            s_yy = __builtin_convertvector(at(square + x), Doubles) * g0;
    Doubles s_x = s_1 - s_1, s_xx = s_x, s_xy = s_x;
    for (int j = 1; j <= fit.n; ++j) {
      const double g = fit.g[j], xg = fit.xg[j], xxg = fit.xxg[j];
      const Doubles both = __builtin_convertvector(at(one + x + j) + at(one + x - j), Doubles);
      s_1 += both * g;
      s_xx += both * xxg;
      s_x += __builtin_convertvector(at(one + x + j) - at(one + x - j), Doubles) * xg;
      s_y += __builtin_convertvector(at(down + x + j) + at(down + x - j), Doubles) * g;
      s_xy += __builtin_convertvector(at(down + x + j) - at(down + x - j), Doubles) * xg;
      s_yy += __builtin_convertvector(at(square + x + j) + at(square + x - j), Doubles) * g;
    }
    const i64 count = width - x, plane = height * width;
    float* to = planes + y * width + x;
    put(to, s_y * fit.linear, count);
    put(to + plane, s_x * fit.linear, count);
    put(to + 2 * plane, s_1 * fit.constant_square + s_yy * fit.square, count);
    put(to + 3 * plane, s_1 * fit.constant_square + s_xx * fit.square, count);
    put(to + 4 * plane, s_xy * fit.mixed, count);
  }
}

VERSIONS void equations_row(const float* first, const float* second, i64 height, i64 width, i64 y, const float* flow,
                            float* m) {
  const i64 plane = height * width;
  Rows<float> rows(coefficients, width, 0);
  float *b0 = rows[0], *b1 = rows[1], *b2 = rows[2], *b3 = rows[3], *b4 = rows[4];
  for (i64 x = 0; x < width; ++x) {
    float b[coefficients];
    moved_polynomial(first, second, plane, height, width, y, x, flow[2 * x], flow[2 * x + 1], b);
    b0[x] = b[0], b1[x] = b[1], b2[x] = b[2], b3[x] = b[3], b4[x] = b[4];
  }
  first += y * width;
  m += y * width;
  const float trust_y = trust(y, height);
#pragma omp simd
  for (i64 x = 0; x < width; ++x) {
    const float a[] = {first[x], first[plane + x], first[2 * plane + x], first[3 * plane + x], first[4 * plane + x]};
    const float b[] = {b0[x], b1[x], b2[x], b3[x], b4[x]};
    float k[coefficients];
    normal_equations(a, b, flow[2 * x], flow[2 * x + 1], trust(x, width) * trust_y, k);
    m[x] = k[0], m[plane + x] = k[1], m[2 * plane + x] = k[2], m[3 * plane + x] = k[3], m[4 * plane + x] = k[4];
  }
}

namespace {

// Column sums of row y of one plane; with equal weights, from those of the row above unless that is in another strip.
[[gnu::always_inline]] inline void sum_columns(const WindowSum& w, const float* m, i64 height, i64 width, i64 y,
                                               bool running, double* sum) {
  if (w.equal && running) {
    const float* enters = m + clamped(y + w.radius, height) * width;
    const float* leaves = m + clamped(y - w.radius - 1, height) * width;
#pragma omp simd
    for (i64 x = 0; x < width; ++x) sum[x] += static_cast<double>(enters[x]) - static_cast<double>(leaves[x]);
    return;
  }
  std::fill_n(sum, width, 0.0);
  for (i64 j = -w.radius; j <= w.radius; ++j) {
    const float* row = m + clamped(y + j, height) * width;
    const double weight = static_cast<double>(w.weight(j));
#pragma omp simd
    for (i64 x = 0; x < width; ++x) sum[x] += weight * static_cast<double>(row[x]);
  }
}

}  // namespace

VERSIONS void solve_strip(const WindowSum& window, const float* m, i64 height, i64 width, i64 begin, float* flow) {
  const i64 end = std::min(begin + strip, height);
  Rows<double> sums(coefficients, width, window.radius);
  Rows<float> solved(2, width, 0);
  for (i64 y = begin; y < end; ++y) {
    for (int k = 0; k < coefficients; ++k) {
      sum_columns(window, m + k * height * width, height, width, y, y > begin, sums[k]);
      sums.repeat_ends(k);
    }
    for (i64 x = 0; x < width; x += lanes) {
      Doubles k[coefficients] = {};
      for (i64 j = -window.radius; j <= window.radius; ++j) {
        const double weight = static_cast<double>(window.weight(j));
        for (int i = 0; i < coefficients; ++i) k[i] += weight * at(sums[i] + x + j);
      }
      for (Doubles& sum : k) sum *= window.scale;
      Doubles u, v;
      solve(k[0], k[1], k[2], k[3], k[4], u, v);
      put(solved[0] + x, u, lanes);
      put(solved[1] + x, v, lanes);
    }
    const float *u = solved[0], *v = solved[1];
    float* to = flow + 2 * y * width;
#pragma omp simd
    for (i64 x = 0; x < width; ++x) {
      to[2 * x] = u[x];
      to[2 * x + 1] = v[x];
    }
  }
}

}  // namespace dactyl::farneback
