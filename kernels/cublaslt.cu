// Matrix products through cuBLASLt: one algorithm per shape, asked for once, remembered.
#include "kernels/gemm.h"

#ifdef __CUDACC__
#include <cublasLt.h>

#include <cstdio>
#include <map>
#include <optional>

#include "engine/cuda.h"
#include "kernels/bias_relu.h"

namespace dactyl {
namespace {

void check(cublasStatus_t status, const char* what, std::source_location where = std::source_location::current()) {
  if (status != CUBLAS_STATUS_SUCCESS) [[unlikely]]
    dactyl::check(false, Message("cuBLASLt: {}: {}", where), what, cublasLtGetStatusString(status));
}

// What an algorithm is remembered for. Columns and rows as cuBLASLt sees them: see Product.
struct Key {
  int device;
  DType dtype;
  Math math;
  bool transpose_left, transpose_right, bias, relu;
  i64 rows, columns, inner;
  std::array<i64, 3> alignment;  // bytes, of left, right and result
  auto operator<=>(const Key&) const = default;
};

struct Choice {
  cublasLtMatmulAlgo_t algorithm;
  std::size_t workspace;
};

cudaDataType_t data_type(DType t) {
  switch (t) {
    case DType::bf16:
      return CUDA_R_16BF;
    case DType::f16:
      return CUDA_R_16F;
    case DType::f64:
      return CUDA_R_64F;
    default:
      return CUDA_R_32F;
  }
}

cublasComputeType_t compute_type(const Key& k) {
  if (k.dtype == DType::f64) return CUBLAS_COMPUTE_64F;
  return k.dtype == DType::f32 && k.math == Math::tf32 ? CUBLAS_COMPUTE_32F_FAST_TF32 : CUBLAS_COMPUTE_32F;
}

template <class T, cublasStatus_t (*destroy)(T*)>
struct Destroy {
  void operator()(T* p) const { destroy(p); }
};
using Operation =
    std::unique_ptr<cublasLtMatmulDescOpaque_t, Destroy<cublasLtMatmulDescOpaque_t, cublasLtMatmulDescDestroy>>;
using Matrix =
    std::unique_ptr<cublasLtMatrixLayoutOpaque_t, Destroy<cublasLtMatrixLayoutOpaque_t, cublasLtMatrixLayoutDestroy>>;
using Preference = std::unique_ptr<cublasLtMatmulPreferenceOpaque_t,
                                   Destroy<cublasLtMatmulPreferenceOpaque_t, cublasLtMatmulPreferenceDestroy>>;

Matrix matrix(DType type, i64 rows, i64 columns) {
  cublasLtMatrixLayout_t made = nullptr;
  check(cublasLtMatrixLayoutCreate(&made, data_type(type), static_cast<std::uint64_t>(rows),
                                   static_cast<std::uint64_t>(columns), rows),
        "describing a matrix");
  return Matrix(made);
}

// cuBLASLt thinks in columns: a row-major (r, c) matrix is to it a column-major (c, r) one. So it is asked for
// cᵀ = op(b)ᵀ op(a)ᵀ, which is c in our order: left is b, right is a, both as they lie, and the bias it adds to every
// row of cᵀ is ours for every column of c.
struct Product {
  Operation operation;
  Matrix left, right, result;

  explicit Product(const Key& k) {
    cublasLtMatmulDesc_t made = nullptr;
    check(cublasLtMatmulDescCreate(&made, compute_type(k), data_type(k.dtype == DType::f64 ? DType::f64 : DType::f32)),
          "describing a product");
    operation.reset(made);
    set(CUBLASLT_MATMUL_DESC_TRANSA, k.transpose_left ? CUBLAS_OP_T : CUBLAS_OP_N);
    set(CUBLASLT_MATMUL_DESC_TRANSB, k.transpose_right ? CUBLAS_OP_T : CUBLAS_OP_N);
    const auto plain = k.relu ? CUBLASLT_EPILOGUE_RELU : CUBLASLT_EPILOGUE_DEFAULT;
    const auto added = k.relu ? CUBLASLT_EPILOGUE_RELU_BIAS : CUBLASLT_EPILOGUE_BIAS;
    set(CUBLASLT_MATMUL_DESC_EPILOGUE, k.bias ? added : plain);
    left = k.transpose_left ? matrix(k.dtype, k.inner, k.rows) : matrix(k.dtype, k.rows, k.inner);
    right = k.transpose_right ? matrix(k.dtype, k.columns, k.inner) : matrix(k.dtype, k.inner, k.columns);
    result = matrix(k.dtype, k.rows, k.columns);
  }

  template <class T>
  void set(cublasLtMatmulDescAttributes_t name, const T& value) {
    check(cublasLtMatmulDescSetAttribute(operation.get(), name, &value, sizeof value), "describing a product");
  }
};

template <class T>
void prefer(const Preference& p, cublasLtMatmulPreferenceAttributes_t name, T value) {
  check(cublasLtMatmulPreferenceSetAttribute(p.get(), name, &value, sizeof value), "choosing an algorithm");
}

// cuBLASLt's first choice. Parts of a sum that is split over blocks are added in f32 and in a fixed order.
std::optional<Choice> choose(cublasLtHandle_t handle, const Key& k, const Product& product) {
  cublasLtMatmulPreference_t made = nullptr;
  check(cublasLtMatmulPreferenceCreate(&made), "choosing an algorithm");
  const Preference preference(made);
  prefer(preference, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, std::size_t{64} << 20);
  prefer(preference, CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK,
         static_cast<std::uint32_t>(CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE));
  prefer(preference, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, static_cast<std::uint32_t>(k.alignment[0]));
  prefer(preference, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES, static_cast<std::uint32_t>(k.alignment[1]));
  prefer(preference, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, static_cast<std::uint32_t>(k.alignment[2]));
  prefer(preference, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES, static_cast<std::uint32_t>(k.alignment[2]));
  cublasLtMatmulHeuristicResult_t found{};
  int count = 0;
  const cublasStatus_t status =
      cublasLtMatmulAlgoGetHeuristic(handle, product.operation.get(), product.left.get(), product.right.get(),
                                     product.result.get(), product.result.get(), preference.get(), 1, &found, &count);
  if (status != CUBLAS_STATUS_SUCCESS || count == 0 || found.state != CUBLAS_STATUS_SUCCESS) {
    std::fprintf(stderr, "dactyl: cuBLASLt has no algorithm for %s (%lld, %lld, %lld)%s\n", to_text(k.dtype).c_str(),
                 static_cast<long long>(k.columns), static_cast<long long>(k.inner), static_cast<long long>(k.rows),
                 k.bias || k.relu ? " with bias or relu" : "");
    return std::nullopt;
  }
  return Choice{found.algo, found.workspaceSize};
}

i64 alignment_of(const void* p) {
  const auto address = reinterpret_cast<std::uintptr_t>(p);
  return std::min<i64>(256, static_cast<i64>(address & (~address + 1)));
}

bool multiply(const Key& key, const void* left, const void* right, const void* bias, void* result) {
  thread_local std::map<Key, std::optional<Choice>> choices;
  Context& context = Context::current();
  const auto handle = reinterpret_cast<cublasLtHandle_t>(context.blas());
  Product product(key);
  if (key.bias) product.set(CUBLASLT_MATMUL_DESC_BIAS_POINTER, bias);
  auto found = choices.find(key);
  if (found == choices.end()) found = choices.emplace(key, choose(handle, key, product)).first;
  if (!found->second) return false;
  const Choice& choice = *found->second;
  const double wide[] = {1, 0};
  const float narrow[] = {1, 0};
  const bool f64 = key.dtype == DType::f64;
  const void* one = f64 ? static_cast<const void*>(wide) : narrow;
  const void* zero = f64 ? static_cast<const void*>(wide + 1) : narrow + 1;
  check(cublasLtMatmul(handle, product.operation.get(), one, left, product.left.get(), right, product.right.get(), zero,
                       result, product.result.get(), result, product.result.get(), &choice.algorithm,
                       context.workspace(choice.workspace), choice.workspace, context.compute().handle()),
        "multiplying matrices");
  return true;
}

}  // namespace

bool cublas_gemm(Tensor c, const Tensor& a, bool transpose_a, const Tensor& b, bool transpose_b, const Tensor& bias,
                 bool relu) {
  const i64 inner = a.shape()[transpose_a ? 0 : 1];
  if (c.count() == 0 || inner == 0) return false;
  const Tensor added = bias.defined() && alignment_of(bias.raw()) < 16 ? bias.clone() : bias;
  const void* bias_at = added.defined() ? added.raw() : nullptr;
  const Math math = c.dtype() == DType::f32 ? Context::current().math : Math::fp32;
  Key key{c.device().index,
          c.dtype(),
          math,
          transpose_b,
          transpose_a,
          bias_at != nullptr,
          relu,
          c.shape()[1],
          c.shape()[0],
          inner,
          {alignment_of(b.raw()), alignment_of(a.raw()), alignment_of(c.raw())}};
  if (multiply(key, b.raw(), a.raw(), bias_at, c.raw())) return true;
  if (!key.bias && !key.relu) return false;
  key.bias = key.relu = false;
  if (!multiply(key, b.raw(), a.raw(), nullptr, c.raw())) return false;
  bias_relu(c, added, relu, c);
  return true;
}

}  // namespace dactyl
#endif
