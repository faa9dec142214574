// Row loops of Farnebäck's flow. The compiler makes one version per instruction set and picks when loading.
#include "kernels/flow_farneback_rows.h"

#include "kernels/flow_farneback_lanes.h"

namespace dactyl::farneback {

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

namespace {

// The weighted sums of all columns about row y, for 1, y, y².
[[gnu::always_inline]] inline void sum_columns(const Fit& fit, const float* image, i64 height, i64 width, i64 y,
                                               float* one, float* down, float* square) {
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
}

}  // namespace

VERSIONS void expand_row(const Fit& fit, const float* image, i64 height, i64 width, i64 y, float* planes) {
  Rows<float> rows(3, width, fit.n);
  float *one = rows[0], *down = rows[1], *square = rows[2];
  sum_columns(fit, image, height, width, y, one, down, square);
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

VERSIONS void solve_rows(const WindowSum& window, const float* m, i64 height, i64 width, i64 begin, i64 end,
                         float* flow) {
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
