// What a GPU's thread does with its packs of channels in batch_norm's way forward, whoever shares them out. For .cu
// files of the GPU build only.
#pragma once

#ifdef __CUDACC__
#include "kernels/batch_norm.h"
#include "kernels/fast/block_sums.h"
#include "kernels/fast/column.h"

namespace dactyl::fast {

// Count, mean and sum of squared differences to it, of as many rows as are known; merged as Chan, Golub and LeVeque
// 1979 do.
struct Moments {
  float n, mean, squares;

  // Of n rows, from the sums of their differences to an origin and of the squares of those.
  __device__ static Moments of(Two<float> differences, float origin, float n) {
    if (n == 0) return {};
    const float mean = differences.a / n, rest = differences.b - differences.a * mean;
    return {n, origin + mean, rest < 0 ? 0.0f : rest};
  }
  __device__ Moments& operator+=(const Moments& o) {
    if (o.n == 0) return *this;
    const float total = n + o.n, share = o.n / total, d = o.mean - mean;
    mean += d * share;
    squares += o.squares + d * d * n * share;
    n = total;
    return *this;
  }
};
__device__ inline Moments from_lane(const Moments& m, int mask) {
  return {from_lane(m.n, mask), from_lane(m.mean, mask), from_lane(m.squares, mask)};
}

// A block's first row is the origin of its sums: as exact as a second pass where numbers are large and close together.
template <class T>
struct Differences {
  static constexpr int size = Pack<T>::size;
  Pack<T> origin;
  PairsOf<size> sums = {};

  __device__ void add(const Pack<T>& pack) {
    for (int i = 0; i < size; ++i) {
      const float d = float(pack.v[i]) - float(origin.v[i]);
      sums.v[i] += {d, d * d};
    }
  }
};

struct StoreMoments {
  NormCoefficients<float> k;
  const float *gamma, *beta;
  float *running_mean, *running_var, momentum, epsilon, rows;

  explicit StoreMoments(const NormArguments& a)
      : k(a.fit),
        gamma(data_or_null<float>(a.gamma)),
        beta(data_or_null<float>(a.beta)),
        running_mean(data_or_null<float>(a.mean)),
        running_var(data_or_null<float>(a.var)),
        momentum(static_cast<float>(a.options.momentum)),
        epsilon(static_cast<float>(a.options.epsilon)),
        rows(static_cast<float>(a.x.shape().rows())) {}
  struct Given {
    float gamma, beta;
  };
  __device__ Given given(int c) const { return {gamma ? gamma[c] : 1.0f, beta ? beta[c] : 0.0f}; }

  // The coefficients of a channel, as number `at` of `to`.
  __device__ void fit(const NormCoefficients<float>& to, int at, const Moments& m, const Given& g) const {
    to.mean[at] = m.mean;
    to.set(at, m.squares / rows, epsilon, g.gamma, g.beta);
  }
  // For the way back, and the running statistics: one thread of all.
  __device__ void operator()(int c, const Moments& m, const Given& g) const {
    fit(k, c, m, g);
    running_mean[c] += momentum * (m.mean - running_mean[c]);
    running_var[c] += momentum * (m.squares / (rows - 1) - running_var[c]);
  }
};

// The way forward for one pack.
template <class T>
struct Normal {
  static constexpr int size = Pack<T>::size;
  Column<size> mean, scale, shift;
  bool relu;

  __device__ Normal(const NormCoefficients<float>& k, int channel, bool with_relu)
      : mean(k.mean + channel), scale(k.scale + channel), shift(k.shift + channel), relu(with_relu) {}
  __device__ Pack<T> operator()(const Pack<T>& in) const {
    Pack<T> out;
    for (int i = 0; i < size; ++i) {
      const float z = (float(in.v[i]) - mean.v[i]) * scale.v[i] + shift.v[i];
      out.v[i] = T(relu && z < 0 ? 0.0f : z);
    }
    return out;
  }
};

}  // namespace dactyl::fast
#endif
