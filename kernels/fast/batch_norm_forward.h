// What a GPU's thread does with its packs of channels in batch_norm's way forward, whoever shares them out. For .cu
// files of the GPU build only.
#pragma once

#ifdef __CUDACC__
#include "engine/pack.h"
#include "kernels/batch_norm.h"

namespace dactyl::fast {

// Count, means and sums of squared differences to them, of channels of which as many rows are known; merged as Chan,
// Golub and LeVeque 1979 do. Together, since the count's share is a division.
template <int size>
struct MomentsOf {
  float n, mean[size], squares[size];
  __device__ MomentsOf& operator+=(const MomentsOf& o) {
    if (o.n == 0) return *this;
    const float total = n + o.n, share = o.n / total;
    for (int i = 0; i < size; ++i) {
      const float d = o.mean[i] - mean[i];
      mean[i] += d * share;
      squares[i] += o.squares[i] + d * d * n * share;
    }
    n = total;
    return *this;
  }
  __device__ MomentsOf<1> of(int i) const { return {n, {mean[i]}, {squares[i]}}; }
};
using Moments = MomentsOf<1>;

// A thread's first row is the origin of its sums: as exact as a second pass where numbers are large and close together.
template <class T>
struct Differences {
  static constexpr int size = Pack<T>::size;
  Pack<T> first = {};
  float sum[size] = {}, squares[size] = {};

  __device__ void add(const Pack<T>& pack) {
    for (int i = 0; i < size; ++i) {
      const float d = float(pack.v[i]) - float(first.v[i]);
      sum[i] += d;
      squares[i] += d * d;
    }
  }
  // Of n rows, the first among them.
  __device__ MomentsOf<size> of_rows(float n) const {
    MomentsOf<size> all = {n};
    for (int i = 0; i < size; ++i) {
      const float mean = sum[i] / n, rest = squares[i] - sum[i] * mean;
      all.mean[i] = float(first.v[i]) + mean;
      all.squares[i] = rest < 0 ? 0.0f : rest;
    }
    return all;
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
        running_mean(a.mean.data<float>()),
        running_var(a.var.data<float>()),
        momentum(static_cast<float>(a.options.momentum)),
        epsilon(static_cast<float>(a.options.epsilon)),
        rows(static_cast<float>(a.x.shape().rows())) {}
  // Of one channel: its parameters, and the running statistics before this call.
  struct Given {
    float gamma, beta, mean, var;
  };
  __device__ Given given(int c) const {
    return {gamma ? gamma[c] : 1.0f, beta ? beta[c] : 0.0f, running_mean[c], running_var[c]};
  }
  // Its coefficients, as number `at` of `to`.
  __device__ void fit(const NormCoefficients<float>& to, int at, const Moments& m, const Given& g) const {
    to.mean[at] = m.mean[0];
    to.set(at, m.squares[0] / rows, epsilon, g.gamma, g.beta);
  }
  __device__ void operator()(int c, const Moments& m, const Given& g) const {
    fit(k, c, m, g);
    running_mean[c] = g.mean + momentum * (m.mean[0] - g.mean);
    running_var[c] = g.var + momentum * (m.squares[0] / (rows - 1) - g.var);
  }
  __device__ void operator()(int c, const Moments& m) const { (*this)(c, m, given(c)); }
};

// Eight (or four) channels' numbers from memory.
template <int size>
struct Column {
  float v[size];
  __device__ Column(const float* from, int channel, float factor = 1) {
    for (int i = 0; i < size; ++i) v[i] = from[channel + i] * factor;
  }
};

// The way forward for one pack.
template <class T>
struct Normal {
  static constexpr int size = Pack<T>::size;
  Column<size> mean, scale, shift;
  bool relu;

  __device__ Normal(const NormCoefficients<float>& k, int channel, bool with_relu)
      : mean(k.mean, channel), scale(k.scale, channel), shift(k.shift, channel), relu(with_relu) {}
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
