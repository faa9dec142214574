// A block per output, whose threads share its weights; every pack of them meets the same pack of each row of x.
#include "kernels/fast/few_rows.h"

#include "engine/reduce.h"
#include "kernels/conv_product.h"

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

template <class T, int rows>
void multiply(const ConvProblem& p, const ConvData& d, Device device) {
  constexpr i64 size = Pack<T>::size;
  const T *x = static_cast<const T*>(d.x), *w = static_cast<const T*>(d.w);
  const T* bias = p.bias ? static_cast<const T*>(d.bias) : nullptr;
  T* y = static_cast<T*>(d.y);
  const i64 ins = p.ins, y_pitch = p.y_pitch();
  const bool relu = p.relu;
  fold_rows<Sums<rows>>(
      device, p.outs, ins / size,
      [=] HD(i64 o, i64 i) {
        const Pack<T> weights = Pack<T>::load(w + o * ins + i * size);
        Sums<rows> sums{};
        for (int r = 0; r < rows; ++r) {
          const Pack<T> values = Pack<T>::load(x + r * ins + i * size);
          for (i64 j = 0; j < size; ++j) sums.of[r] += float(weights.v[j]) * float(values.v[j]);
        }
        return sums;
      },
      [=] HD(i64 o, Sums<rows> sums) {
        for (int r = 0; r < rows; ++r) {
          const float v = sums.of[r] + (bias ? float(bias[o]) : 0.0f);
          y[r * y_pitch + o] = T(relu && v < 0 ? 0.0f : v);
        }
      });
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
