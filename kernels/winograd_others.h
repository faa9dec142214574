// The two other sizes of winograd_maths.h: filters of five taps, and tiles of two outputs. Internal to the kernels.
#pragma once

#include "kernels/winograd_maths.h"

namespace dactyl {

// Five taps at the same points: their inputs are transformed alike.
struct FiveTaps {
  static constexpr int out = 2, taps = 5, in = 6;
  using Input = FourOutputs::Input;
  struct Output {
    static constexpr int from = 6, to = 2;
    [[gnu::always_inline]] static inline void apply(const Lanes* m, int s, Lanes* y, int d) {
      y[0] = m[0] + (m[s] + m[2 * s]) + (m[3 * s] + m[4 * s]);
      y[d] = (m[s] - m[2 * s]) + 2 * (m[3 * s] - m[4 * s]) + m[5 * s];
    }
  };
  struct OutputGradient {
    static constexpr int from = 2, to = 6;
    [[gnu::always_inline]] static inline void apply(const Lanes* y, int s, Lanes* m, int d) {
      const Lanes twice = 2 * y[s];
      m[0] = y[0];
      m[d] = y[0] + y[s];
      m[2 * d] = y[0] - y[s];
      m[3 * d] = y[0] + twice;
      m[4 * d] = y[0] - twice;
      m[5 * d] = y[s];
    }
  };
  struct Filter {
    static constexpr int from = 5, to = 6;
    [[gnu::always_inline]] static inline void apply(const Lanes* g, int s, Lanes* u, int d) {
      const Lanes p = (g[0] + g[2 * s] + g[4 * s]) * (-1 / 6.0f), q = (g[s] + g[3 * s]) * (-1 / 6.0f);
      const Lanes v = g[0] * (1 / 24.0f) + g[2 * s] * (1 / 6.0f) + g[4 * s] * (2 / 3.0f);
      const Lanes w = g[s] * (1 / 12.0f) + g[3 * s] * (1 / 3.0f);
      u[0] = g[0] * 0.25f;
      u[d] = p + q;
      u[2 * d] = p - q;
      u[3 * d] = v + w;
      u[4 * d] = v - w;
      u[5 * d] = g[4 * s];
    }
  };
  struct FilterGradient {
    static constexpr int from = 6, to = 5;
    [[gnu::always_inline]] static inline void apply(const Lanes* u, int s, Lanes* g, int d) {
      const Lanes p = (u[s] + u[2 * s]) * (-1 / 6.0f), q = (u[s] - u[2 * s]) * (-1 / 6.0f);
      const Lanes v = u[3 * s] + u[4 * s], w = u[3 * s] - u[4 * s];
      g[0] = u[0] * 0.25f + p + v * (1 / 24.0f);
      g[d] = q + w * (1 / 12.0f);
      g[2 * d] = p + v * (1 / 6.0f);
      g[3 * d] = q + w * (1 / 3.0f);
      g[4 * d] = p + v * (2 / 3.0f) + u[5 * s];
    }
  };
};

// The points 0, ±1 and infinity.
struct TwoOutputs {
  static constexpr int out = 2, taps = 3, in = 4;
  struct Input {
    static constexpr int from = 4, to = 4;
    [[gnu::always_inline]] static inline void apply(const Lanes* x, int s, Lanes* y, int d) {
      y[0] = x[0] - x[2 * s];
      y[d] = x[s] + x[2 * s];
      y[2 * d] = x[2 * s] - x[s];
      y[3 * d] = x[s] - x[3 * s];
    }
  };
  struct Output {
    static constexpr int from = 4, to = 2;
    [[gnu::always_inline]] static inline void apply(const Lanes* m, int s, Lanes* y, int d) {
      y[0] = m[0] + m[s] + m[2 * s];
      y[d] = m[s] - m[2 * s] - m[3 * s];
    }
  };
  struct OutputGradient {
    static constexpr int from = 2, to = 4;
    [[gnu::always_inline]] static inline void apply(const Lanes* y, int s, Lanes* m, int d) {
      m[0] = y[0];
      m[d] = y[0] + y[s];
      m[2 * d] = y[0] - y[s];
      m[3 * d] = -y[s];
    }
  };
  struct Filter {
    static constexpr int from = 3, to = 4;
    [[gnu::always_inline]] static inline void apply(const Lanes* g, int s, Lanes* u, int d) {
      const Lanes p = (g[0] + g[2 * s]) * 0.5f, q = g[s] * 0.5f;
      u[0] = g[0];
      u[d] = p + q;
      u[2 * d] = p - q;
      u[3 * d] = g[2 * s];
    }
  };
  struct FilterGradient {
    static constexpr int from = 4, to = 3;
    [[gnu::always_inline]] static inline void apply(const Lanes* u, int s, Lanes* g, int d) {
      const Lanes p = (u[s] + u[2 * s]) * 0.5f;
      g[0] = u[0] + p;
      g[d] = (u[s] - u[2 * s]) * 0.5f;
      g[2 * d] = p + u[3 * s];
    }
  };
};

}  // namespace dactyl
