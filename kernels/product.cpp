// Six rows by four vectors of sums stay in registers: 24 multiply-adds for four loads of b and six numbers of a.
#include "kernels/product.h"

namespace dactyl {
namespace {

constexpr int tile_rows = 6;

template <int R, int V>
[[gnu::always_inline]] inline void tile(const Product& p, const float* a, float* c) {
  Lanes sum[R][V] = {};
  const float* b = p.b;
  for (i64 t = 0; t < p.taps; ++t) {
    const float* row = a + t * p.a_tap;
    for (i64 k = 0; k < p.steps; ++k, row += p.a_step, b += p.b_step)
      for (int r = 0; r < R; ++r)
        for (int v = 0; v < V; ++v) sum[r][v] += row[r * p.a_row] * at(b + v * lanes);
  }
  for (int r = 0; r < R; ++r)
    for (int v = 0; v < V; ++v) {
      Lanes& to = at(c + r * p.c_row + v * lanes);
      to = p.add ? to + sum[r][v] : sum[r][v];
    }
}

template <int V>
[[gnu::always_inline]] inline void panel(const Product& p) {
  i64 r = 0;
  for (; r + tile_rows <= p.rows; r += tile_rows) tile<tile_rows, V>(p, p.a + r * p.a_row, p.c + r * p.c_row);
  const float* a = p.a + r * p.a_row;
  float* c = p.c + r * p.c_row;
  switch (p.rows - r) {
    case 5: return tile<5, V>(p, a, c);
    case 4: return tile<4, V>(p, a, c);
    case 3: return tile<3, V>(p, a, c);
    case 2: return tile<2, V>(p, a, c);
    case 1: return tile<1, V>(p, a, c);
    default: return;
  }
}

}  // namespace

VERSIONS void multiply(const Product& p, int vectors) {
  switch (vectors) {
    case 4: return panel<4>(p);
    case 3: return panel<3>(p);
    case 2: return panel<2>(p);
    default: return panel<1>(p);
  }
}

bool wide_registers() {
#ifdef __x86_64__
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl");
#else
  return false;
#endif
}

}  // namespace dactyl
