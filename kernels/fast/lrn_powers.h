// What local response normalisation makes of its scales s. Internal to the kernels.
#pragma once

#include "engine/dtype.h"

namespace dactyl::fast {

struct PowerAndInverse {
  float power, inverse;  // s^−β, 1 / s
};

HD inline float inverse_root(float s) {  // of a normal s, ∞ or NaN
#ifdef __CUDA_ARCH__
  asm("rsqrt.approx.ftz.f32 %0, %1;" : "=f"(s) : "f"(s));
  return s;
#else
  return 1 / std::sqrt(s);
#endif
}

HD inline float root(float r) {  // of a normal r, 0 or NaN
#ifdef __CUDA_ARCH__
  asm("sqrt.approx.ftz.f32 %0, %1;" : "=f"(r) : "f"(r));
  return r;
#else
  return std::sqrt(r);
#endif
}

HD inline float log2_of(float s) {
#ifdef __CUDA_ARCH__
  return __log2f(s);
#else
  return std::log2(s);
#endif
}

// β = 3/4 where no scale is below the smallest normal number: s^−3/4 = r·√r and 1 / s = r², r = 1 / √s. Both together
// are two of a GPU's special functions, where logarithms are three.
struct Roots {
  static constexpr bool finite = true;  // the power of a finite scale

  HD PowerAndInverse operator()(float s) const {
    const float r = inverse_root(s);
    return {r * root(r), r * r};
  }
};

// Any β and any scale, 0 and what is below the smallest normal number as well.
struct Logarithms {
  static constexpr bool finite = false;
  float beta;

  HD PowerAndInverse operator()(float s) const {
    const float log = log2_of(s);
    return {exp2f(-beta * log), exp2f(-log)};
  }
};

}  // namespace dactyl::fast
