// The same of the way back. For .cu files of the GPU build only.
#pragma once

#ifdef __CUDACC__
#include "kernels/fast/batch_norm_forward.h"

namespace dactyl::fast {

struct StoreSums {
  float *of_g, *of_gx;
  __device__ void operator()(int c, const Two<float>& sum) const {
    of_g[c] = sum.a;
    of_gx[c] = sum.b;
  }
};

template <class T>
struct Backward {
  const T *x, *dy;
  i64 x_pitch, dy_pitch;
  NormCoefficients<float> k;
  bool relu;

  Backward(const NormArguments& a, const Tensor& dy_)
      : x(a.x.data<T>()),
        dy(dy_.data<T>()),
        x_pitch(a.x.pitch()),
        dy_pitch(dy_.pitch()),
        k(a.fit),
        relu(a.options.relu) {}
};

template <class T>
struct Both {
  Pack<T> x, dy;
};

// One pack on the way back: the distance to the mean, and dy where relu let the value through.
template <class T>
struct Element {
  static constexpr int size = Pack<T>::size;
  const Backward<T>& b;
  int channel;
  Column<size> mean, scale, shift;

  __device__ Element(const Backward<T>& back, int first)
      : b(back), channel(first), mean(back.k.mean + first), scale(back.k.scale + first), shift(back.k.shift + first) {}
  __device__ Both<T> load(int row) const {
    return {Pack<T>::load(b.x + row * b.x_pitch + channel), Pack<T>::load(b.dy + row * b.dy_pitch + channel)};
  }
  __device__ float distance(const Both<T>& at, int i) const { return float(at.x.v[i]) - mean.v[i]; }
  __device__ float gradient(const Both<T>& at, int i) const {
    return b.relu && !(distance(at, i) * scale.v[i] + shift.v[i] > 0) ? 0.0f : float(at.dy.v[i]);
  }
  // Adds g and g·(x − mean). Times inverse, Σ of the latter is Σ g·x̂.
  __device__ void add(const Both<T>& at, PairsOf<size>& to) const {
    for (int i = 0; i < size; ++i) {
      const float g = gradient(at, i);
      to.v[i] += {g, g * distance(at, i)};
    }
  }
};

// dx of one pack. of_g, of_gx: its channels' sums; share: 1/rows for the batch's statistics, 0 for frozen ones.
template <class T>
struct Slope {
  static constexpr int size = Pack<T>::size;
  const Element<T>& element;
  Column<size> of_all, along;

  __device__ Slope(const Element<T>& e, const float* of_g, const float* of_gx, float share)
      : element(e), of_all(of_g, share), along(of_gx, share) {
    const Column<size> inverse(e.b.k.inverse + e.channel);
    for (int i = 0; i < size; ++i) along.v[i] *= inverse.v[i];
  }
  __device__ Pack<T> operator()(const Both<T>& at) const {
    Pack<T> out;
    for (int i = 0; i < size; ++i) {
      const float shared = of_all.v[i] + element.distance(at, i) * along.v[i];
      out.v[i] = T(element.scale.v[i] * (element.gradient(at, i) - shared));
    }
    return out;
  }
};

}  // namespace dactyl::fast
#endif
