// The definition of a convolution, evaluated at sampled places, one block of threads per place.
#include "kernels/conv_check.h"

#include <algorithm>
#include <cmath>

#include "engine/reduce.h"

namespace dactyl {
namespace {

// A bijection of the 64-bit numbers whose bits look random (the finaliser of MurmurHash3).
HD std::uint64_t scrambled(std::uint64_t v) {
  v = (v ^ (v >> 33)) * 0xff51afd7ed558ccdULL;
  v = (v ^ (v >> 33)) * 0xc4ceb9fe1a85ec53ULL;
  return v ^ (v >> 33);
}

// Places: one in each of `samples` equal stretches of [0, count), at random within it.
struct Samples {
  i64 count, samples;
  HD i64 place(i64 s) const {
    const i64 first = s * count / samples, next = (s + 1) * count / samples;
    return first +
           static_cast<i64>(scrambled(static_cast<std::uint64_t>(s)) % static_cast<std::uint64_t>(next - first));
  }
};

// How many places: few enough that long sums (weight gradients) stay cheap.
Samples samples_of(const ConvProblem& p) {
  const i64 terms = p.pass == Pass::weights ? p.rows_out() : p.taps() * (p.pass == Pass::data ? p.outs : p.ins);
  const i64 affordable = std::max<i64>(512, (i64{1} << 32) / std::max<i64>(1, terms));
  return {p.result_count(), std::min({p.result_count(), affordable, i64{65536}})};
}

// The problem as plain arrays that device code may read, and the index arithmetic of its three sums.
struct Index {
  i64 in[3], out[3], kernel[3], stride[3], low[3], channels, ins, outs, y_pitch, outs_per_group, taps;

  explicit Index(const ConvProblem& p)
      : channels(p.groups * p.ins),
        ins(p.ins),
        outs(p.outs),
        y_pitch(p.y_pitch()),
        outs_per_group(p.outs / p.groups),
        taps(p.taps()) {
    for (std::size_t i = 0; i < 3; ++i)
      in[i] = p.in[i], out[i] = p.out[i], kernel[i] = p.kernel[i], stride[i] = p.stride[i], low[i] = p.low[i];
  }

  HD static void split(i64 row, const i64 (&extent)[3], i64 (&at)[4]) {
    for (int i = 2; i >= 0; --i) {
      at[i + 1] = row % extent[i];
      row /= extent[i];
    }
    at[0] = row;
  }

  // The row of x that a tap of y's row reads; −1 if it is padding.
  HD i64 input_row(i64 output_row, i64 tap) const {
    i64 from[4], k[4];
    split(output_row, out, from);
    split(tap, kernel, k);
    i64 row = from[0];
    for (int i = 0; i < 3; ++i) {
      const i64 at = from[i + 1] * stride[i] - low[i] + k[i + 1];
      if (at < 0 || at >= in[i]) return -1;
      row = row * in[i] + at;
    }
    return row;
  }

  // The row of y whose tap reads x's row; −1 if there is none.
  HD i64 output_row(i64 input_row, i64 tap) const {
    i64 to[4], k[4];
    split(input_row, in, to);
    split(tap, kernel, k);
    i64 row = to[0];
    for (int i = 0; i < 3; ++i) {
      const i64 at = to[i + 1] + low[i] - k[i + 1];
      if (at < 0 || at % stride[i] != 0 || at / stride[i] >= out[i]) return -1;
      row = row * out[i] + at / stride[i];
    }
    return row;
  }
};

template <class T>
void forward_samples(const Index n, Samples s, bool relu, const ConvData& d, Tensor& to) {
  const T *x = static_cast<const T*>(d.x), *w = static_cast<const T*>(d.w), *b = static_cast<const T*>(d.bias);
  double* want = to.data<double>();
  fold_rows<double>(
      to.device(), s.samples, n.taps * n.ins,
      [=] HD(i64 sample, i64 i) {
        const i64 place = s.place(sample), o = place % n.outs, c = i % n.ins;
        const i64 at = n.input_row(place / n.outs, i / n.ins);
        if (at < 0) return 0.0;
        return double(x[at * n.channels + o / n.outs_per_group * n.ins + c]) * double(w[o * n.taps * n.ins + i]);
      },
      [=] HD(i64 sample, double sum) {
        if (b) sum += double(b[s.place(sample) % n.outs]);
        want[sample] = relu && sum < 0 ? 0 : sum;
      });
}

template <class T>
void data_samples(const Index n, Samples s, bool adds, const ConvData& d, Tensor& to) {
  const T *dy = static_cast<const T*>(d.y), *w = static_cast<const T*>(d.w), *x = static_cast<const T*>(d.x);
  double* want = to.data<double>();
  fold_rows<double>(
      to.device(), s.samples, n.taps * n.outs_per_group,
      [=] HD(i64 sample, i64 i) {
        const i64 place = s.place(sample), channel = place % n.channels, tap = i / n.outs_per_group;
        const i64 at = n.output_row(place / n.channels, tap);
        if (at < 0) return 0.0;
        const i64 o = channel / n.ins * n.outs_per_group + i % n.outs_per_group;
        return double(dy[at * n.y_pitch + o]) * double(w[(o * n.taps + tap) * n.ins + channel % n.ins]);
      },
      [=] HD(i64 sample, double sum) { want[sample] = adds ? sum + double(x[s.place(sample)]) : sum; });
}

template <class T>
void weight_samples(const Index n, i64 rows, Samples s, const ConvData& d, Tensor& to) {
  const T *dy = static_cast<const T*>(d.y), *x = static_cast<const T*>(d.x);
  double* want = to.data<double>();
  fold_rows<double>(
      to.device(), s.samples, rows,
      [=] HD(i64 sample, i64 row) {
        const i64 place = s.place(sample), o = place / (n.taps * n.ins);
        const i64 at = n.input_row(row, place / n.ins % n.taps);
        if (at < 0) return 0.0;
        const i64 group = o / n.outs_per_group;
        return double(dy[row * n.y_pitch + o]) * double(x[at * n.channels + group * n.ins + place % n.ins]);
      },
      [=] HD(i64 sample, double sum) { want[sample] = sum; });
}

template <class T>
void fill_typed(Device device, i64 n, std::uint64_t seed, void* to) {
  T* numbers = static_cast<T*>(to);
  each(device, n, [=] HD(i64 i) {
    const auto bits = static_cast<float>(scrambled(seed + static_cast<std::uint64_t>(i)) >> 40);  // 24 of them
    numbers[i] = T(bits / 8388608.0f - 1.0f);
  });
}

template <class T>
void fill_with(Device device, i64 n, T value, void* to) {
  T* numbers = static_cast<T*>(to);
  each(device, n, [=] HD(i64 i) { numbers[i] = value; });
}

void* result_of(Pass pass, const ConvData& d) { return pass == Pass::forward ? d.y : pass == Pass::data ? d.x : d.w; }

// Rows of `width` numbers, `pitch` apart: where the n-th of them lies.
struct Rows {
  i64 width, pitch;
  HD i64 at(i64 n) const { return width == pitch ? n : n / width * pitch + n % width; }
};
Rows rows_of_result(const ConvProblem& p) { return p.pass == Pass::forward ? Rows{p.outs, p.y_pitch()} : Rows{1, 1}; }

template <class T>
void squares(Samples s, Rows rows, const T* got, const Tensor& want, Tensor& sums) {
  const double* w = want.data<double>();
  double* to = sums.data<double>();
  fold_rows<Two<double>>(
      want.device(), 1, s.samples,
      [=] HD(i64, i64 i) {
        const double off = double(got[rows.at(s.place(i))]) - w[i];
        return Two<double>{off * off, w[i] * w[i]};
      },
      [=] HD(i64, Two<double> sum) {
        to[0] = sum.a;
        to[1] = sum.b;
      });
}

constexpr i64 stretches = 1024;

// How many numbers between the slice's rows are no longer the NaN that they were, in each stretch of y.
template <class T>
void strays(const T* y, i64 span, Rows rows, Tensor& counts) {
  double* to = counts.data<double>();
  const i64 stretch = (span + stretches - 1) / stretches;
  fold_rows<double>(
      counts.device(), stretches, stretch,
      [=] HD(i64 s, i64 i) {
        const i64 at = s * stretch + i;
        if (at >= span || at % rows.pitch < rows.width) return 0.0;
        const double v = double(y[at]);
        return v == v ? 1.0 : 0.0;
      },
      [=] HD(i64 s, double sum) { to[s] = sum; });
}

bool wrote_beside(const ConvProblem& p, const ConvData& d, Device device) {
  if (p.pass != Pass::forward || !p.is_slice()) return false;
  Tensor counts({stretches}, DType::f64, device);
  with_float(p.dtype, [&]<class T>() { strays<T>(static_cast<const T*>(d.y), p.y_span(), rows_of_result(p), counts); });
  const Tensor host = counts.to(Device::cpu());
  return std::any_of(host.data<double>(), host.data<double>() + stretches, [](double n) { return n != 0; });
}

}  // namespace

void fill_conv(const ConvProblem& p, const ConvData& d, Device device) {
  const double nan = std::nan("");
  with_float(p.dtype, [&]<class T>() {
    fill_typed<T>(device, p.x_count(), std::uint64_t{1} << 40, d.x);
    fill_typed<T>(device, p.w_count(), std::uint64_t{2} << 40, d.w);
    fill_typed<T>(device, p.y_span(), std::uint64_t{3} << 40, d.y);
    if (p.bias) fill_typed<T>(device, p.outs, std::uint64_t{4} << 40, d.bias);
    if (p.adds) return;
    const i64 span = p.pass == Pass::forward ? p.y_span() : p.result_count();
    fill_with<T>(device, span, T(static_cast<compute_t<T>>(nan)), result_of(p.pass, d));
  });
}

Tensor conv_samples(const ConvProblem& p, const ConvData& d, Device device) {
  const Samples s = samples_of(p);
  Tensor want({s.samples}, DType::f64, device);
  with_float(p.dtype, [&]<class T>() {
    if (p.pass == Pass::forward) return forward_samples<T>(Index(p), s, p.relu, d, want);
    if (p.pass == Pass::data) return data_samples<T>(Index(p), s, p.adds, d, want);
    weight_samples<T>(Index(p), p.rows_out(), s, d, want);
  });
  return want;
}

double conv_error(const ConvProblem& p, const ConvData& d, const Tensor& want) {
  Tensor sums({2}, DType::f64, want.device());
  if (wrote_beside(p, d, want.device())) return std::nan("");
  with_float(p.dtype, [&]<class T>() {
    squares<T>(samples_of(p), rows_of_result(p), static_cast<const T*>(result_of(p.pass, d)), want, sums);
  });
  const Tensor host = sums.to(Device::cpu());
  return std::sqrt(host.data<double>()[0] / std::max(host.data<double>()[1], 1e-300));
}

double conv_tolerance(const ConvProblem& p) {
  if (p.dtype == DType::f32) return p.math == Math::tf32 ? 3e-3 : 1e-4;
  return p.dtype == DType::f16 ? 3e-3 : 1e-2;
}

}  // namespace dactyl
