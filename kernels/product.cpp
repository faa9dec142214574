// Six rows by four vectors of sums stay in registers: 24 multiply-adds for four loads of b and six numbers of a.
#include "kernels/product.h"

namespace dactyl {
namespace {

constexpr int tile_rows = 6;

// Each tile of a panel asks for its share of the next one: where a net's filters do not fit into the caches, they
// arrive while others are multiplied.
struct Ahead {
  const float* next;
  i64 tiles, left;  // of the panel; steps up to the next of this tile's
};

template <int R, int V>
[[gnu::always_inline]] inline void tile(const Product& p, const float* a, float* c, Ahead ahead) {
  Lanes sum[R][V] = {};
  const float* b = p.b;
  for (i64 t = 0; t < p.taps; ++t) {
    const float* row = a + t * p.a_tap;
    for (i64 k = 0; k < p.steps; ++k, row += p.a_step, b += p.b_step) {
      for (int r = 0; r < R; ++r)
        for (int v = 0; v < V; ++v) sum[r][v] += row[r * p.a_row] * at(b + v * lanes);
      if (!ahead.next || --ahead.left >= 0) continue;
      for (int v = 0; v < V; ++v) __builtin_prefetch(ahead.next + (b - p.b) + v * lanes, 0, 2);
      ahead.left = ahead.tiles - 1;
    }
  }
  for (int r = 0; r < R; ++r)
    for (int v = 0; v < V; ++v) {
      Lanes& to = at(c + r * p.c_row + v * lanes);
      Lanes z = p.add ? to + sum[r][v] : sum[r][v];
      if (p.bias) z += at(p.bias + v * lanes);
      to = p.relu ? (z < 0 ? Lanes{} : z) : z;
    }
}

// Rows in tiles of nearly the same height: a flat one at the end would wait for loads.
template <int V>
[[gnu::always_inline]] inline void panel(const Product& p) {
  const i64 tiles = (p.rows + tile_rows - 1) / tile_rows;
  for (i64 i = 0; i < tiles; ++i) {
    const i64 r = i * p.rows / tiles, height = (i + 1) * p.rows / tiles - r;
    const float* a = p.a + r * p.a_row;
    float* c = p.c + r * p.c_row;
    const Ahead ahead{p.next, tiles, i};
    switch (height) {
      case 6:
        tile<6, V>(p, a, c, ahead);
        break;
      case 5:
        tile<5, V>(p, a, c, ahead);
        break;
      case 4:
        tile<4, V>(p, a, c, ahead);
        break;
      case 3:
        tile<3, V>(p, a, c, ahead);
        break;
      case 2:
        tile<2, V>(p, a, c, ahead);
        break;
      default:
        tile<1, V>(p, a, c, ahead);
    }
  }
}

}  // namespace

VERSIONS void multiply(const Product& p, int vectors) {
  switch (vectors) {
    case 4:
      return panel<4>(p);
    case 3:
      return panel<3>(p);
    case 2:
      return panel<2>(p);
    default:
      return panel<1>(p);
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
