// Row loops of pooling, bias and relu. The compiler makes one version per instruction set and picks when loading.
#include "kernels/rows.h"

#include <limits>

#include "kernels/lanes.h"

namespace dactyl {
namespace {

using Ints [[gnu::vector_size(lanes * sizeof(std::int32_t))]] = std::int32_t;
using Bytes [[gnu::vector_size(lanes), gnu::aligned(1), gnu::may_alias]] = std::uint8_t;
const Lanes lowest = Lanes{} - std::numeric_limits<float>::infinity();

// R × 4 sums are kept in registers, so that each number read serves several products.
template <int R>
[[gnu::always_inline]] inline void dot_tile(const float* a, i64 a_step, const float* b, i64 b_step, i64 n, float* c,
                                            i64 c_step) {
  Lanes sum[R][4] = {};
  i64 k = 0;
  for (; k + lanes <= n; k += lanes)
    for (int o = 0; o < 4; ++o) {
      const Lanes bk = at(b + o * b_step + k);
      for (int r = 0; r < R; ++r) sum[r][o] += at(a + r * a_step + k) * bk;
    }
  for (int r = 0; r < R; ++r)
    for (int o = 0; o < 4; ++o) {
      float total = 0;
      for (int l = 0; l < lanes; ++l) total += sum[r][o][l];
      for (i64 j = k; j < n; ++j) total += a[r * a_step + j] * b[o * b_step + j];
      c[r * c_step + o] += total;
    }
}

}  // namespace

VERSIONS void max_rows(float* y, const float* const* x, int taps, i64 n) {
  i64 c = 0;
  for (; c + lanes <= n; c += lanes) {
    Lanes best = lowest;
    for (int t = 0; t < taps; ++t) best = at(x[t] + c) > best ? at(x[t] + c) : best;
    at(y + c) = best;
  }
  for (; c < n; ++c) {
    y[c] = -std::numeric_limits<float>::infinity();
    for (int t = 0; t < taps; ++t) y[c] = x[t][c] > y[c] ? x[t][c] : y[c];
  }
}

VERSIONS void max_rows(float* y, std::uint8_t* tap_of, const float* const* x, const std::uint8_t* names, int taps,
                       i64 n) {
  i64 c = 0;
  for (; c + lanes <= n; c += lanes) {
    Lanes best = lowest;
    Ints chosen = {};
    for (int t = 0; t < taps; ++t) {
      const Ints more = at(x[t] + c) > best;
      best = more ? at(x[t] + c) : best;
      chosen = more ? Ints{} + names[t] : chosen;
    }
    at(y + c) = best;
    reinterpret_cast<Bytes&>(tap_of[c]) = __builtin_convertvector(chosen, Bytes);
  }
  for (; c < n; ++c) {
    y[c] = -std::numeric_limits<float>::infinity();
    tap_of[c] = 0;
    for (int t = 0; t < taps; ++t) {
      if (!(x[t][c] > y[c])) continue;
      y[c] = x[t][c];
      tap_of[c] = names[t];
    }
  }
}

VERSIONS void add_row(float* sum, const float* x, i64 n) {
#pragma omp simd
  for (i64 c = 0; c < n; ++c) sum[c] += x[c];
}

VERSIONS void add_scaled_row(float* sum, const float* x, float scale, i64 n) {
#pragma omp simd
  for (i64 c = 0; c < n; ++c) sum[c] += scale * x[c];
}

VERSIONS void add_chosen_row(float* sum, const float* x, const std::uint8_t* tap_of, std::uint8_t tap, i64 n) {
#pragma omp simd
  for (i64 c = 0; c < n; ++c) sum[c] += tap_of[c] == tap ? x[c] : 0.0f;
}

VERSIONS void scale_row(float* y, float scale, i64 n) {
#pragma omp simd
  for (i64 c = 0; c < n; ++c) y[c] *= scale;
}

VERSIONS void bias_row(float* y, const float* bias, bool relu, i64 n) {
  if (bias) {
#pragma omp simd
    for (i64 c = 0; c < n; ++c) y[c] += bias[c];
  }
  if (relu) {
#pragma omp simd
    for (i64 c = 0; c < n; ++c) y[c] = y[c] < 0 ? 0.0f : y[c];
  }
}

VERSIONS void dot_rows(const float* a, i64 a_step, int rows, const float* b, i64 b_step, i64 n, float* c, i64 c_step) {
  if (rows == 4) return dot_tile<4>(a, a_step, b, b_step, n, c, c_step);
  if (rows == 3) return dot_tile<3>(a, a_step, b, b_step, n, c, c_step);
  if (rows == 2) return dot_tile<2>(a, a_step, b, b_step, n, c, c_step);
  dot_tile<1>(a, a_step, b, b_step, n, c, c_step);
}

VERSIONS float dot_row(const float* a, const float* b, i64 n) {
  float sum = 0;
#pragma omp simd reduction(+ : sum)
  for (i64 c = 0; c < n; ++c) sum += a[c] * b[c];
  return sum;
}

}  // namespace dactyl
