// Batch normalisation on a GPU, 16 bytes of channels per thread, shared out as slices.h says. A thread keeps its
// channels' coefficients and sums in registers.
#include "kernels/fast/batch_norm.h"

#ifdef __CUDACC__
#include "engine/reduce.h"
#include "kernels/fast/slices.h"

namespace dactyl::fast {
namespace {

// Count, mean and sum of squared differences to it; merged as Chan, Golub and LeVeque 1979 do.
struct Moments {
  float n, mean, squares;
  __device__ Moments& operator+=(const Moments& o) {
    if (o.n == 0) return *this;
    const float total = n + o.n, d = o.mean - mean, share = o.n / total;
    mean += d * share;
    squares += o.squares + d * d * n * share;
    n = total;
    return *this;
  }
};

// A thread's first row is the origin of its sums: as exact as a second pass where numbers are large and close together.
template <class T>
__global__ void __launch_bounds__(threads)
    moments_kernel(int rows, int packs, int slice, const T* __restrict__ x, i64 pitch, Moments* partial) {
  constexpr int size = Pack<T>::size;
  const Part part(rows, packs, slice, size);
  Moments mine[size] = {};
  if (part.any) {
    const auto load = [&](int row) { return Pack<T>::load(x + row * pitch + part.channel); };
    const Pack<T> first = load(part.row);
    float sum[size] = {}, squares[size] = {};
    walk(part.row + part.step, part.end, part.step, load, [&](int, const Pack<T>& pack) {
      for (int i = 0; i < size; ++i) {
        const float d = float(pack.v[i]) - float(first.v[i]);
        sum[i] += d;
        squares[i] += d * d;
      }
    });
    const float n = static_cast<float>((part.end - part.row + part.step - 1) / part.step);
    for (int i = 0; i < size; ++i) {
      const float mean = sum[i] / n, rest = squares[i] - sum[i] * mean;
      mine[i] = {n, float(first.v[i]) + mean, rest < 0 ? 0.0f : rest};
    }
  }
  merge(mine);
  if (threadIdx.y != 0 || !part.any) return;
  for (int i = 0; i < size; ++i) partial[i64{blockIdx.y} * packs * size + part.channel + i] = mine[i];
}

struct StoreMoments {
  NormCoefficients<float> k;
  const float *gamma, *beta;
  float *running_mean, *running_var, momentum, epsilon, rows;

  __device__ void operator()(int c, const Moments& m) const {
    k.mean[c] = m.mean;
    k.set(c, m.squares / rows, epsilon, gamma, beta);
    running_mean[c] += momentum * (m.mean - running_mean[c]);
    running_var[c] += momentum * (m.squares / (rows - 1) - running_var[c]);
  }
};

// Eight (or four) channels' numbers from global memory.
template <int size>
struct Column {
  float v[size];
  __device__ Column(const float* from, int channel, float factor = 1) {
    for (int i = 0; i < size; ++i) v[i] = from[channel + i] * factor;
  }
};

template <class T>
__global__ void __launch_bounds__(threads)
    normalise_kernel(int rows, int packs, int slice, const T* __restrict__ x, i64 x_pitch, T* __restrict__ y,
                     i64 y_pitch, NormCoefficients<float> k, bool relu) {
  constexpr int size = Pack<T>::size;
  const Part part(rows, packs, slice, size);
  if (!part.any) return;
  const Column<size> mean(k.mean, part.channel), scale(k.scale, part.channel), shift(k.shift, part.channel);
  walk(
      part.row, part.end, part.step, [&](int row) { return Pack<T>::load(x + row * x_pitch + part.channel); },
      [&](int row, const Pack<T>& in) {
        Pack<T> out;
        for (int i = 0; i < size; ++i) {
          const float z = (float(in.v[i]) - mean.v[i]) * scale.v[i] + shift.v[i];
          out.v[i] = T(relu && z < 0 ? 0.0f : z);
        }
        out.store(y + row * y_pitch + part.channel);
      });
}

template <class T>
struct Backward {
  const T *x, *dy;
  i64 x_pitch, dy_pitch;
  NormCoefficients<float> k;
  bool relu;
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
      : b(back), channel(first), mean(back.k.mean, first), scale(back.k.scale, first), shift(back.k.shift, first) {}
  __device__ Both<T> load(int row) const {
    return {Pack<T>::load(b.x + row * b.x_pitch + channel), Pack<T>::load(b.dy + row * b.dy_pitch + channel)};
  }
  __device__ float distance(const Both<T>& at, int i) const { return float(at.x.v[i]) - mean.v[i]; }
  __device__ float gradient(const Both<T>& at, int i) const {
    return b.relu && !(distance(at, i) * scale.v[i] + shift.v[i] > 0) ? 0.0f : float(at.dy.v[i]);
  }
};

template <class T>
__global__ void __launch_bounds__(threads)
    sums_kernel(int rows, int packs, int slice, Backward<T> b, Two<float>* partial) {
  constexpr int size = Pack<T>::size;
  const Part part(rows, packs, slice, size);
  Two<float> mine[size] = {};
  if (part.any) {
    const Element<T> element(b, part.channel);
    walk(
        part.row, part.end, part.step, [&](int row) { return element.load(row); },
        [&](int, const Both<T>& at) {
          for (int i = 0; i < size; ++i) {
            const float g = element.gradient(at, i);
            mine[i] += {g, g * element.distance(at, i)};
          }
        });
    for (int i = 0; i < size; ++i) mine[i].b *= b.k.inverse[part.channel + i];
  }
  merge(mine);
  if (threadIdx.y != 0 || !part.any) return;
  for (int i = 0; i < size; ++i) partial[i64{blockIdx.y} * packs * size + part.channel + i] = mine[i];
}

struct StoreSums {
  float *of_g, *of_gx;
  __device__ void operator()(int c, const Two<float>& sum) const {
    of_g[c] = sum.a;
    of_gx[c] = sum.b;
  }
};

// share: 1/rows for the batch's statistics, 0 for frozen ones.
template <class T>
__global__ void __launch_bounds__(threads)
    gradient_kernel(int rows, int packs, int slice, Backward<T> b, const float* of_g, const float* of_gx, float share,
                    T* __restrict__ dx, i64 dx_pitch) {
  constexpr int size = Pack<T>::size;
  const Part part(rows, packs, slice, size);
  if (!part.any) return;
  const Element<T> element(b, part.channel);
  const Column<size> of_all(of_g, part.channel, share);
  Column<size> along(of_gx, part.channel, share);
  for (int i = 0; i < size; ++i) along.v[i] *= b.k.inverse[part.channel + i];
  walk(
      part.row, part.end, part.step, [&](int row) { return element.load(row); },
      [&](int row, const Both<T>& at) {
        Pack<T> out;
        for (int i = 0; i < size; ++i) {
          const float shared = of_all.v[i] + element.distance(at, i) * along.v[i];
          out.v[i] = T(element.scale.v[i] * (element.gradient(at, i) - shared));
        }
        out.store(dx + row * dx_pitch + part.channel);
      });
}

template <class T>
Backward<T> backward_of(const NormArguments& a, const Tensor& dy) {
  return {a.x.data<T>(), dy.data<T>(), a.x.pitch(), dy.pitch(), NormCoefficients<float>(a.fit), a.options.relu};
}

CUstream_st* stream() { return Context::current().compute().handle(); }

}  // namespace

bool norms_by_packs(const NormArguments& a, const Tensor& y) {
  return a.options.algorithm != Algorithm::reference && a.x.device().is_cuda() && a.x.dtype() != DType::f64 &&
         a.x.dtype() == y.dtype() && packed(a.x) && packed(y) && a.x.count() > 0 && a.x.shape().rows() < 1 << 30;
}

void fit_batch(const NormArguments& a) {
  const StoreMoments store{NormCoefficients<float>(a.fit),
                           data_or_null<float>(a.gamma),
                           data_or_null<float>(a.beta),
                           a.mean.data<float>(),
                           a.var.data<float>(),
                           static_cast<float>(a.options.momentum),
                           static_cast<float>(a.options.epsilon),
                           static_cast<float>(a.x.shape().rows())};
  with_narrow(a.x.dtype(), [&]<class T>(T) {
    const Split s(a.x, Pack<T>::size);
    const Tensor bytes = scratch<Moments>(s, a.x);
    Moments* partial = reinterpret_cast<Moments*>(bytes.raw());
    moments_kernel<<<s.grid, s.block, 0, stream()>>>(s.rows, s.packs, s.slice, a.x.data<T>(), a.x.pitch(), partial);
    check_launch("batch_norm: moments");
    finish(a.x.shape().channels(), s.slices, partial, store);
  });
}

void normalise(const NormArguments& a, const Tensor& y) {
  with_narrow(a.x.dtype(), [&]<class T>(T) {
    const Split s(a.x, Pack<T>::size);
    normalise_kernel<<<s.grid, s.block, 0, stream()>>>(s.rows, s.packs, s.slice, a.x.data<T>(), a.x.pitch(),
                                                       y.data<T>(), y.pitch(), NormCoefficients<float>(a.fit),
                                                       a.options.relu);
    check_launch("batch_norm: normalise");
  });
}

void sum_gradients(const NormArguments& a, const Tensor& dy, const NormSums& sums) {
  with_narrow(a.x.dtype(), [&]<class T>(T) {
    const Split s(a.x, Pack<T>::size);
    const Tensor bytes = scratch<Two<float>>(s, a.x);
    auto* partial = reinterpret_cast<Two<float>*>(bytes.raw());
    sums_kernel<<<s.grid, s.block, 0, stream()>>>(s.rows, s.packs, s.slice, backward_of<T>(a, dy), partial);
    check_launch("batch_norm: sums");
    finish(a.x.shape().channels(), s.slices, partial, StoreSums{sums.of_g.data<float>(), sums.of_gx.data<float>()});
  });
}

void normalise_gradient(const NormArguments& a, const Tensor& dy, const NormSums& sums, const Tensor& dx) {
  const i64 rows = a.x.shape().rows();
  const float share = a.options.statistics == Statistics::batch ? 1 / static_cast<float>(rows) : 0;
  with_narrow(a.x.dtype(), [&]<class T>(T) {
    const Split s(a.x, Pack<T>::size);
    gradient_kernel<<<s.grid, s.block, 0, stream()>>>(s.rows, s.packs, s.slice, backward_of<T>(a, dy),
                                                      sums.of_g.data<float>(), sums.of_gx.data<float>(), share,
                                                      dx.data<T>(), dx.pitch());
    check_launch("batch_norm: gradient");
  });
}

}  // namespace dactyl::fast
#endif
