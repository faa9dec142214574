// Local response normalisation over five channels, 16 or 32 bytes of them per thread. A thread also reads the numbers
// beside its own, which neighbouring threads have just read and caches should still hold: no shared memory, no waiting.
// Nothing is kept for the way back: the scales are computed again.
#include "kernels/fast/lrn.h"

#include <limits>

#include "engine/each.h"
#include "kernels/divisor.h"
#include "kernels/fast/lrn_powers.h"

namespace dactyl::fast {
namespace {

constexpr int half = 2;

// max(0, x), but a NaN stays visible.
HD inline float positive(float x) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
  asm("max.NaN.f32 %0, %1, 0f00000000;" : "=f"(x) : "f"(x));
  return x;
#else
  return x <= 0 ? 0.0f : x;
#endif
}

// Sums of x[j] to x[j + 4]. Two results side by side share four numbers, two such fours a pair.
template <int n>
HD void sums_of_five(const float (&x)[n + 2 * half], float (&sum)[n]) {
  static_assert(n % 2 == 0);
  float pair = x[1] + x[2];
  for (int j = 0; j < n; j += 2) {
    const float next = x[j + 3] + x[j + 4], four = pair + next;
    sum[j] = four + x[j];
    sum[j + 1] = four + x[j + 5];
    pair = next;
  }
}

// `n` numbers at once, at a multiple of their bytes.
template <class T, int n>
struct alignas(n * sizeof(T)) Side {
  T v[n];
  HD static Side load(const T* from) { return *reinterpret_cast<const Side*>(from); }
};

// v = the numbers of a Side or Pack, the bf16 ones by words: one instruction for each.
template <int n, class Numbers>
HD void widen(const Numbers& from, float* v) {
  if constexpr (std::is_same_v<decltype(from.v), bf16[n]>) {
    struct alignas(2 * n) Words {
      std::uint32_t v[n / 2];
    };
    const auto words = std::bit_cast<Words>(from);
    for (int j = 0; j < n / 2; ++j) {
      v[2 * j] = std::bit_cast<float>(words.v[j] << 16);
      v[2 * j + 1] = std::bit_cast<float>(words.v[j] & 0xffff0000u);
    }
  } else {
    for (int j = 0; j < n; ++j) v[j] = float(from.v[j]);
  }
}

// What a thread needs that takes n numbers of a row, n / Pack<T>::size packs.
template <class T, int n>
struct Lrn {
  Divisor pieces;  // of n numbers in a row
  int channels;
  float k, a, slope;
  bool relu;

  Lrn(const Tensor& x, const LrnOptions& o)
      : pieces(x.shape().channels() / n),
        channels(static_cast<int>(x.shape().channels())),
        k(static_cast<float>(o.k)),
        a(static_cast<float>(o.alpha / static_cast<double>(o.size))),
        slope(2 * static_cast<float>(o.beta) * a),
        relu(o.relu) {}

  // First channel of thread i's numbers.
  HD int channel(i64 i) const {
    int piece;
    pieces.split(static_cast<std::uint32_t>(i), piece);
    return piece * n;
  }
  // The n numbers at `row` and `reach` on both sides, 0 beyond the channels.
  template <int reach>
  HD void load(const T* row, int channel, float (&v)[n + 2 * reach]) const {
    constexpr int size = Pack<T>::size;
    static_assert(reach <= size && n % size == 0);
    Side<T, reach> left{}, right{};
    if (channel > 0) left = Side<T, reach>::load(row - reach);
    if (channel + n < channels) right = Side<T, reach>::load(row + n);
    for (int p = 0; p < n; p += size) widen<size>(Pack<T>::load(row + p), v + reach + p);
    widen<reach>(left, v);
    widen<reach>(right, v + reach + n);
  }
  // The same of x, after relu.
  template <int reach>
  HD void load_values(const T* row, int channel, float (&v)[n + 2 * reach]) const {
    load<reach>(row, channel, v);
    if (!relu) return;
    for (float& x : v) x = positive(x);
  }
  // The scales of x[half] and those behind it.
  template <int count>
  HD void scales(const float (&x)[count + 2 * half], float (&s)[count]) const {
    float square[count + 2 * half];
    for (int j = 0; j < count + 2 * half; ++j) square[j] = x[j] * x[j];
    sums_of_five<count>(square, s);
    for (float& sum : s) sum = k + a * sum;
  }
};

template <class T, class Powers>
struct Forward {
  static constexpr int n = Pack<T>::size;
  Lrn<T, n> g;
  Powers powers;
  const T* x;
  T* y;

  HD void operator()(i64 i) const {
    float v[n + 2 * half], s[n];
    g.template load_values<half>(x + i * n, g.channel(i), v);
    g.template scales<n>(v, s);
    Pack<T> out;
    for (int j = 0; j < n; ++j) out.v[j] = T(v[half + j] * powers(s[j]).power);
    out.store(y + i * n);
  }
};

template <class T, int packs, class Powers>
struct Backward {
  static constexpr int n = packs * Pack<T>::size, terms = n + 2 * half, reach = 2 * half;
  Lrn<T, n> g;
  Powers powers;
  const T *x, *dy;
  T* dx;

  HD void operator()(i64 i) const {
    const int channel = g.channel(i);
    float v[n + 2 * reach], d[terms], ratio[terms], sum[n];
    g.template load_values<reach>(x + i * n, channel, v);
    g.template load<half>(dy + i * n, channel, d);
    ratios(channel, v, d, ratio);
    sums_of_five<n>(ratio, sum);
    for (int p = 0; p < n; p += Pack<T>::size) {
      Pack<T> out;
      for (int e = 0; e < Pack<T>::size; ++e) {
        const int j = p + e;
        const float gradient = d[half + j] - g.slope * v[reach + j] * sum[j];
        out.v[e] = T(g.relu && !(v[reach + j] > 0) ? 0.0f : gradient);
      }
      out.store(dx + i * n + p);
    }
  }
  // ratio = d·v·s^(−β−1), and d·s^−β in d's place.
  HD void ratios(int channel, const float (&v)[n + 2 * reach], float (&d)[terms], float (&ratio)[terms]) const {
    g.template scales<terms>(v, ratio);
    for (int j = 0; j < terms; ++j) {
      const PowerAndInverse of_scale = powers(ratio[j]);
      d[j] *= of_scale.power;
      ratio[j] = d[j] * (v[half + j] * of_scale.inverse);
    }
    if constexpr (!Powers::finite) cut(channel, ratio);
  }
  // Beyond the channels there is nothing, whatever a scale of k alone would make of it.
  HD void cut(int channel, float (&ratio)[terms]) const {
    for (int j = 0; j < half; ++j) {
      if (channel == 0) ratio[j] = 0;
      if (channel + n == g.channels) ratio[half + n + j] = 0;
    }
  }
};

// body(Powers): how s^−β is computed.
template <class Body>
void with_powers(const LrnOptions& o, const Body& body) {
  const auto k = static_cast<float>(o.k), beta = static_cast<float>(o.beta);
  const bool normal = k >= std::numeric_limits<float>::min() && o.alpha >= 0;
  if (beta == 0.75f && normal)
    body(Roots{});
  else
    body(Logarithms{beta});
}

template <int packs, class T>
void backward(const Tensor& x, const Tensor& dy, const Tensor& dx, const LrnOptions& o) {
  with_powers(o, [&]<class Powers>(Powers powers) {
    using Body = Backward<T, packs, Powers>;
    each(x.device(), x.count() / Body::n, Body{Lrn<T, Body::n>(x, o), powers, x.data<T>(), dy.data<T>(), dx.data<T>()});
  });
}

}  // namespace

bool lrn_by_packs(const Tensor& x, const LrnOptions& o) {
  return o.size == 2 * half + 1 && x.dtype() != DType::f64 && x.is_dense() && packed(x) && x.count() > 0 &&
         x.count() < 1ll << 31;
}

bool lrn_fits_pairs(const Tensor& x) { return x.shape().channels() % (2 * (16 / size_of(x.dtype()))) == 0; }

bool lrn_wants_pairs(const Tensor& x) {
  constexpr i64 fills_a_gpu = 1 << 18;  // packs, half as many threads: 64 registers each, 132 processors
  return lrn_fits_pairs(x) && x.count() * size_of(x.dtype()) / 16 >= fills_a_gpu;
}

void lrn_forward(const Tensor& x, const Tensor& y, const LrnOptions& o) {
  with_narrow(x.dtype(), [&]<class T>(T) {
    with_powers(o, [&]<class Powers>(Powers powers) {
      using Body = Forward<T, Powers>;
      each(x.device(), x.count() / Body::n, Body{Lrn<T, Body::n>(x, o), powers, x.data<T>(), y.data<T>()});
    });
  });
}

void lrn_backward(const Tensor& x, const Tensor& dy, const Tensor& dx, const LrnOptions& o, bool pairs) {
  check(!pairs || lrn_fits_pairs(x), "lrn: {} has no even number of packs in a row", x.shape());
  with_narrow(x.dtype(), [&]<class T>(T) { pairs ? backward<2, T>(x, dy, dx, o) : backward<1, T>(x, dy, dx, o); });
}

}  // namespace dactyl::fast
