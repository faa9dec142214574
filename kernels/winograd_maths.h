// Minimal filtering along one extent (Winograd 1980; Lavin and Gray 2016): `out` outputs of a filter of `taps` taps
// from in = out + taps − 1 inputs by `in` products, y = Aᵀ((G g) ⊙ (Bᵀ x)), and what the gradients need: A and Gᵀ. Each
// step reads numbers `s` apart and writes numbers `d` apart. square() applies one along both extents.
#pragma once

#include "kernels/lanes.h"

namespace dactyl {

// The points 0, ±1, ±2 and infinity.
struct FourOutputs {
  static constexpr int out = 4, taps = 3, in = 6;
  struct Input {  // Bᵀ
    static constexpr int from = 6, to = 6;
    [[gnu::always_inline]] static inline void apply(const Lanes* x, int s, Lanes* y, int d) {
      const Lanes p = x[4 * s] - 4 * x[2 * s], q = x[3 * s] - 4 * x[s];
      const Lanes u = x[4 * s] - x[2 * s], v = 2 * (x[3 * s] - x[s]);
      y[0] = 4 * x[0] - 5 * x[2 * s] + x[4 * s];
      y[d] = p + q;
      y[2 * d] = p - q;
      y[3 * d] = u + v;
      y[4 * d] = u - v;
      y[5 * d] = 4 * x[s] - 5 * x[3 * s] + x[5 * s];
    }
  };
  struct Output {  // Aᵀ
    static constexpr int from = 6, to = 4;
    [[gnu::always_inline]] static inline void apply(const Lanes* m, int s, Lanes* y, int d) {
      const Lanes p = m[s] + m[2 * s], q = m[s] - m[2 * s], u = m[3 * s] + m[4 * s], v = m[3 * s] - m[4 * s];
      y[0] = m[0] + p + u;
      y[d] = q + 2 * v;
      y[2 * d] = p + 4 * u;
      y[3 * d] = q + 8 * v + m[5 * s];
    }
  };
  struct OutputGradient {  // A
    static constexpr int from = 4, to = 6;
    [[gnu::always_inline]] static inline void apply(const Lanes* y, int s, Lanes* m, int d) {
      const Lanes p = y[0] + y[2 * s], q = y[s] + y[3 * s];
      const Lanes u = y[0] + 4 * y[2 * s], v = 2 * y[s] + 8 * y[3 * s];
      m[0] = y[0];
      m[d] = p + q;
      m[2 * d] = p - q;
      m[3 * d] = u + v;
      m[4 * d] = u - v;
      m[5 * d] = y[3 * s];
    }
  };
  struct Filter {  // G
    static constexpr int from = 3, to = 6;
    [[gnu::always_inline]] static inline void apply(const Lanes* g, int s, Lanes* u, int d) {
      const Lanes p = (g[0] + g[2 * s]) * (-1 / 6.0f), q = g[s] * (-1 / 6.0f);
      const Lanes v = g[0] * (1 / 24.0f) + g[2 * s] * (1 / 6.0f), w = g[s] * (1 / 12.0f);
      u[0] = g[0] * 0.25f;
      u[d] = p + q;
      u[2 * d] = p - q;
      u[3 * d] = v + w;
      u[4 * d] = v - w;
      u[5 * d] = g[2 * s];
    }
  };
  struct FilterGradient {  // Gᵀ
    static constexpr int from = 6, to = 3;
    [[gnu::always_inline]] static inline void apply(const Lanes* u, int s, Lanes* g, int d) {
      const Lanes p = (u[s] + u[2 * s]) * (1 / 6.0f), q = u[2 * s] - u[s], v = u[3 * s] + u[4 * s];
      g[0] = u[0] * 0.25f - p + v * (1 / 24.0f);
      g[d] = q * (1 / 6.0f) + (u[3 * s] - u[4 * s]) * (1 / 12.0f);
      g[2 * d] = v * (1 / 6.0f) - p + u[5 * s];
    }
  };
};

// from² numbers become to²: columns first, then rows.
template <class Step>
[[gnu::always_inline]] inline void square(const Lanes* x, Lanes* y) {
  Lanes half[Step::to * Step::from];
  for (int j = 0; j < Step::from; ++j) Step::apply(x + j, Step::from, half + j, Step::from);
  for (int i = 0; i < Step::to; ++i) Step::apply(half + i * Step::from, 1, y + i * Step::to, 1);
}

}  // namespace dactyl
