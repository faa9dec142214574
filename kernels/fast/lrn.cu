// Local response normalisation over five channels, 16 bytes of them per thread. A thread also reads the packs beside
// its own, which neighbouring threads have just read and caches should still hold: no shared memory, no waiting. Nothing
// is kept for the way back: the scales are computed again. Powers are 2^(−β·log₂ s), two instructions of a GPU.
#include "kernels/fast/lrn.h"

#include "engine/each.h"
#include "kernels/divisor.h"

namespace dactyl::fast {
namespace {

constexpr int half = 2;

HD inline float log2_of(float s) {
#ifdef __CUDA_ARCH__
  return __log2f(s);
#else
  return std::log2(s);
#endif
}

HD inline float power_of_2(float e) {
#ifdef __CUDA_ARCH__
  return exp2f(e);
#else
  return std::exp2(e);
#endif
}

template <class T>
struct Lrn {
  static constexpr int size = Pack<T>::size;
  Divisor packs;
  int channels;
  float k, a, beta;
  bool relu;

  Lrn(const Tensor& x, const LrnOptions& o)
      : packs(x.shape().channels() / size),
        channels(static_cast<int>(x.shape().channels())),
        k(static_cast<float>(o.k)),
        a(static_cast<float>(o.alpha / static_cast<double>(o.size))),
        beta(static_cast<float>(o.beta)),
        relu(o.relu) {}

  // First channel of thread i's pack.
  HD int channel(i64 i) const {
    int pack;
    packs.split(static_cast<std::uint32_t>(i), pack);
    return pack * size;
  }
  // The pack at `row` and `reach` numbers on both sides, 0 beyond the channels.
  template <int reach>
  HD void load(const T* row, int channel, float (&v)[size + 2 * reach]) const {
    static_assert(reach <= size);
    const Pack<T> own = Pack<T>::load(row);
    const Pack<T> left = channel > 0 ? Pack<T>::load(row - size) : Pack<T>{};
    const Pack<T> right = channel + size < channels ? Pack<T>::load(row + size) : Pack<T>{};
    for (int j = 0; j < reach; ++j) {
      v[j] = channel > 0 ? float(left.v[size - reach + j]) : 0.0f;
      v[reach + size + j] = channel + size < channels ? float(right.v[j]) : 0.0f;
    }
    for (int j = 0; j < size; ++j) v[reach + j] = float(own.v[j]);
  }
  // The same of x, after relu; a NaN stays visible.
  template <int reach>
  HD void load_values(const T* row, int channel, float (&v)[size + 2 * reach]) const {
    load<reach>(row, channel, v);
    if (!relu) return;
    for (float& x : v) x = x <= 0 ? 0.0f : x;
  }
  // log₂ of the scale of x[0], from x[−2] to x[2].
  HD float log_scale(const float* x) const {
    float sum = 0;
    for (int j = -half; j <= half; ++j) sum += x[j] * x[j];
    return log2_of(k + a * sum);
  }
};

template <class T>
struct Forward {
  Lrn<T> g;
  const T* x;
  T* y;

  HD void operator()(i64 i) const {
    constexpr int size = Pack<T>::size;
    float v[size + 2 * half];
    g.template load_values<half>(x + i * size, g.channel(i), v);
    Pack<T> out;
    for (int j = 0; j < size; ++j) out.v[j] = T(v[half + j] * power_of_2(-g.beta * g.log_scale(v + half + j)));
    out.store(y + i * size);
  }
};

template <class T>
struct Backward {
  Lrn<T> g;
  const T *x, *dy;
  T* dx;

  HD void operator()(i64 i) const {
    constexpr int size = Pack<T>::size, reach = 2 * half;
    const int channel = g.channel(i);
    float v[size + 2 * reach], d[size + 2 * half], ratio[size + 2 * half], power[size + 2 * half];
    g.template load_values<reach>(x + i * size, channel, v);
    g.template load<half>(dy + i * size, channel, d);
    for (int j = 0; j < size + 2 * half; ++j) {
      const float s = g.log_scale(v + half + j);
      power[j] = power_of_2(-g.beta * s);
      // Beyond the channels there is nothing, whatever a scale of k alone would make of it.
      const bool inside = channel + j >= half && channel + j < g.channels + half;
      ratio[j] = inside ? d[j] * v[half + j] * power_of_2(-(g.beta + 1) * s) : 0.0f;
    }
    Pack<T> out;
    for (int j = 0; j < size; ++j) {
      float sum = 0;
      for (int w = 0; w <= 2 * half; ++w) sum += ratio[j + w];
      const float gradient = d[half + j] * power[half + j] - 2 * g.beta * g.a * v[reach + j] * sum;
      out.v[j] = T(g.relu && !(v[reach + j] > 0) ? 0.0f : gradient);
    }
    out.store(dx + i * size);
  }
};

}  // namespace

bool lrn_by_packs(const Tensor& x, const LrnOptions& o) {
  return o.size == 2 * half + 1 && x.dtype() != DType::f64 && x.is_dense() && packed(x) && x.count() > 0 &&
         x.count() < 1ll << 31;
}

void lrn_forward(const Tensor& x, const Tensor& y, const LrnOptions& o) {
  with_narrow(x.dtype(), [&]<class T>(T) {
    each(x.device(), x.count() / Pack<T>::size, Forward<T>{Lrn<T>(x, o), x.data<T>(), y.data<T>()});
  });
}

void lrn_backward(const Tensor& x, const Tensor& dy, const Tensor& dx, const LrnOptions& o) {
  with_narrow(x.dtype(), [&]<class T>(T) {
    each(x.device(), x.count() / Pack<T>::size, Backward<T>{Lrn<T>(x, o), x.data<T>(), dy.data<T>(), dx.data<T>()});
  });
}

}  // namespace dactyl::fast
