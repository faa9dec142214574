// A block per output, whose threads share its weights; every pack of them meets the same pack of each row of x.
#include "kernels/fast/few_rows.h"

#include "engine/reduce.h"
#include "kernels/conv_product.h"
#include "kernels/early.h"

namespace dactyl::fast {
namespace {

template <int rows>
struct Sums {
  float of[rows];
  HD Sums& operator+=(const Sums& o) {
    for (int r = 0; r < rows; ++r) of[r] += o.of[r];
    return *this;
  }
};

template <class T>
struct Product {
  const T *x, *w, *bias;  // bias: or null
  T* y;
  i64 ins, y_pitch;
  bool relu;

  Product(const ConvProblem& p, const ConvData& d)
      : x(static_cast<const T*>(d.x)),
        w(static_cast<const T*>(d.w)),
        bias(p.bias ? static_cast<const T*>(d.bias) : nullptr),
        y(static_cast<T*>(d.y)),
        ins(p.ins),
        y_pitch(p.y_pitch()),
        relu(p.relu) {}

  // Pack i of an output's weights times the same pack of each row.
  template <int rows>
  HD Sums<rows> product(i64 o, i64 i) const {
    constexpr i64 size = Pack<T>::size;
    const Pack<T> weights = Pack<T>::load(w + o * ins + i * size);
    Sums<rows> sums{};
    for (int r = 0; r < rows; ++r) {
      const Pack<T> values = Pack<T>::load(x + r * ins + i * size);
      for (i64 j = 0; j < size; ++j) sums.of[r] += float(weights.v[j]) * float(values.v[j]);
    }
    return sums;
  }
  template <int rows>
  HD void store(i64 o, const Sums<rows>& sums) const {
    for (int r = 0; r < rows; ++r) {
      const float v = sums.of[r] + (bias ? float(bias[o]) : 0.0f);
      y[r * y_pitch + o] = T(relu && v < 0 ? 0.0f : v);
    }
  }
};

#ifdef __CUDACC__
// The weights are there before the rows are: they set out for the L2 cache ahead of the kernel's turn.
template <class T, int rows>
__global__ void __launch_bounds__(detail::fold_threads) few_rows_kernel(Product<T> p) {
  constexpr i64 line = 128 / sizeof(T);
  const i64 o = blockIdx.x;
  early::let_next_begin();
  for (i64 i = threadIdx.x * line; i < p.ins; i += detail::fold_threads * line)
    asm volatile("prefetch.global.L2 [%0];\n" ::"l"(p.w + o * p.ins + i));
  early::wait_for_last();
  Sums<rows> sums{};
  for (i64 i = threadIdx.x; i < p.ins / Pack<T>::size; i += detail::fold_threads)
    sums += p.template product<rows>(o, i);
  sums = detail::block_sum(sums);
  if (threadIdx.x == 0) p.template store<rows>(o, sums);
}
#endif

template <class T, int rows>
void multiply(const ConvProblem& problem, const ConvData& data, Device device) {
  const Product<T> p(problem, data);
#ifdef __CUDACC__
  if (device.is_cuda())
    return early::launch(few_rows_kernel<T, rows>, static_cast<unsigned>(problem.outs), detail::fold_threads,
                         "linear: few rows", p);
#endif
  fold_rows<Sums<rows>>(
      device, problem.outs, p.ins / Pack<T>::size, [=] HD(i64 o, i64 i) { return p.template product<rows>(o, i); },
      [=] HD(i64 o, Sums<rows> sums) { p.template store<rows>(o, sums); });
}

template <class T>
void multiply_typed(const ConvProblem& p, const ConvData& d, Device device) {
  switch (p.rows_out()) {
    case 1:
      return multiply<T, 1>(p, d, device);
    case 2:
      return multiply<T, 2>(p, d, device);
    case 3:
      return multiply<T, 3>(p, d, device);
    default:
      return multiply<T, 4>(p, d, device);
  }
}

}  // namespace

bool few_rows_fit(const ConvProblem& p) {
  const bool narrow = p.dtype == DType::f32 || p.dtype == DType::bf16 || p.dtype == DType::f16;
  return narrow && p.pass == Pass::forward && as_product(p) && p.rows_out() <= 4 &&
         p.ins % (16 / size_of(p.dtype)) == 0 && p.alignment[0] == 16 && p.alignment[1] == 16;
}

void few_rows(const ConvProblem& p, const ConvData& d, Device device) {
  check(few_rows_fit(p), "linear: the {} has more than few rows", p);
  with_narrow(p.dtype, [&]<class T>(T) { multiply_typed<T>(p, d, device); });
}

}  // namespace dactyl::fast
