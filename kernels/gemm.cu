// c = op(a) op(b) + bias, optionally max(0, ·).
#include "kernels/gemm.h"

#include "engine/each.h"
#include "kernels/onednn.h"
#include "kernels/rows.h"

namespace dactyl {
namespace {

template <class T>
void reference(const Tensor& cs, const Tensor& as, bool transpose_a, const Tensor& bs, bool transpose_b,
               const Tensor& biases, bool relu) {
  using C = compute_t<T>;
  const i64 columns = cs.shape()[1], inner = as.shape()[transpose_a ? 0 : 1];
  const i64 a_row = transpose_a ? 1 : as.shape()[1], a_step = transpose_a ? as.shape()[1] : 1;
  const i64 b_column = transpose_b ? bs.shape()[1] : 1, b_step = transpose_b ? 1 : bs.shape()[1];
  const T *a = as.data<T>(), *b = bs.data<T>(), *bias = biases.defined() ? biases.data<T>() : nullptr;
  T* c = cs.data<T>();
  each(cs.device(), cs.count(), [=] HD(i64 i) {
    const i64 row = i / columns, column = i % columns;
    C sum = bias ? C(bias[column]) : C(0);
    for (i64 k = 0; k < inner; ++k) sum += C(a[row * a_row + k * a_step]) * C(b[column * b_column + k * b_step]);
    c[i] = T(relu && sum < 0 ? C(0) : sum);
  });
}

constexpr i64 few = 16;

// Few rows times a transposed matrix, as in classifying small batches: b, the weights, is read once, while a piece of a
// stays in the cache. A library would copy b first, which costs more than the product.
void few_rows(const Tensor& c, const Tensor& a, const Tensor& b) {
  const i64 rows = c.shape()[0], columns = c.shape()[1], inner = a.shape()[1], piece = 65536 / rows;
  const float *av = a.data<float>(), *bv = b.data<float>();
  float* cv = c.data<float>();
  std::fill_n(cv, rows * columns, 0.0f);
  for (i64 k = 0; k < inner; k += piece) {
    const i64 n = std::min(piece, inner - k), tiles = columns / 4;
#pragma omp parallel for schedule(static) if (columns * n >= 65536)
    for (i64 tile = 0; tile < tiles; ++tile)
      for (i64 r = 0; r < rows; r += 4)
        dot_rows(av + r * inner + k, inner, static_cast<int>(std::min<i64>(4, rows - r)), bv + tile * 4 * inner + k,
                 inner, n, cv + r * columns + tile * 4, columns);
    for (i64 o = tiles * 4; o < columns; ++o)
      for (i64 r = 0; r < rows; ++r) cv[r * columns + o] += dot_row(av + r * inner + k, bv + o * inner + k, n);
  }
}

void on_host(const Tensor& c, const Tensor& a, bool transpose_a, const Tensor& b, bool transpose_b, const Tensor& bias,
             bool relu) {
  if (c.shape()[0] <= few && !transpose_a && transpose_b)
    few_rows(c, a, b);
  else
    onednn_gemm(c, a, transpose_a, b, transpose_b);
  if (!bias.defined() && !relu) return;
  const i64 rows = c.shape()[0], columns = c.shape()[1];
  const float* added = bias.defined() ? bias.data<float>() : nullptr;
  float* values = c.data<float>();
#pragma omp parallel for schedule(static) if (rows * columns >= 65536)
  for (i64 r = 0; r < rows; ++r) bias_row(values + r * columns, added, relu, columns);
}

void check_arguments(const Tensor& c, const Tensor& a, bool transpose_a, const Tensor& b, bool transpose_b,
                     const Tensor& bias) {
  const Shape &as = a.shape(), &bs = b.shape(), &cs = c.shape();
  check(as.rank() == 2 && bs.rank() == 2 && cs.rank() == 2 && as[transpose_a ? 1 : 0] == cs[0] &&
            bs[transpose_b ? 0 : 1] == cs[1] && as[transpose_a ? 0 : 1] == bs[transpose_b ? 1 : 0],
        "gemm: {}{} times {}{} does not give {}", as, transpose_a ? "ᵀ" : "", bs, transpose_b ? "ᵀ" : "", cs);
  check(a.is_dense() && b.is_dense() && c.is_dense(), "gemm: {}, {} and {} must not be slices", as, bs, cs);
  check(a.dtype() == c.dtype() && b.dtype() == c.dtype() && a.device() == c.device() && b.device() == c.device(),
        "gemm: {} is {} on {}, {} is {} on {}", as, a.dtype(), a.device(), bs, b.dtype(), b.device());
  check(!bias.defined() || (bias.shape() == Shape{cs[1]} && bias.dtype() == c.dtype()),
        "gemm: bias {} does not fit the result {}", bias.defined() ? bias.shape() : Shape{}, cs);
}

// 16-bit numbers have no fast host path of their own and go through f32.
Tensor wide(const Tensor& x) { return x.defined() ? x.to(DType::f32) : x; }

}  // namespace

void gemm(Tensor c, const Tensor& a, bool transpose_a, const Tensor& b, bool transpose_b, const Tensor& bias, bool relu,
          Algorithm algorithm) {
  check_arguments(c, a, transpose_a, b, transpose_b, bias);
  if (Context::current().shapes_only) return c.fill(0);
  const bool library = algorithm != Algorithm::reference && c.dtype() != DType::f64;
#ifdef __CUDACC__
  if (library && c.device().is_cuda() && gemm_on_gpu(c, a, transpose_a, b, transpose_b, bias, relu)) return;
#endif
  if (library && onednn_built() && !c.device().is_cuda()) {
    const Tensor result = c.dtype() == DType::f32 ? c : Tensor(c.shape(), DType::f32, c.device());
    on_host(result, wide(a), transpose_a, wide(b), transpose_b, wide(bias), relu);
    if (c.dtype() != DType::f32) c.copy_from(result.to(c.dtype()));
    return;
  }
  check(algorithm != Algorithm::library, "gemm: no library of this build multiplies {} on {}", c.dtype(), c.device());
  with_float(c.dtype(), [&]<class T>() { reference<T>(c, a, transpose_a, b, transpose_b, bias, relu); });
}

}  // namespace dactyl
