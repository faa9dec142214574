// Matrix products in cuBLASLt's words.
#include "kernels/cublaslt.h"

#ifdef __CUDACC__

#include <algorithm>
#include <span>

#include "engine/context.h"

namespace dactyl {
namespace {

constexpr std::size_t most_workspace = std::size_t{32} << 20;  // bytes, what NVIDIA recommends for Hopper
constexpr int most_algorithms = 8;

void check(cublasStatus_t status, const char* what, std::source_location where = std::source_location::current()) {
  if (status != CUBLAS_STATUS_SUCCESS) [[unlikely]]
    dactyl::check(false, Message("cuBLASLt: {}: {}", where), what, cublasLtGetStatusString(status));
}

cudaDataType_t data_type(DType t) {
  switch (t) {
    case DType::bf16:
      return CUDA_R_16BF;
    case DType::f16:
      return CUDA_R_16F;
    default:
      dactyl::check(t == DType::f32, "cuBLASLt: matrices of {} are not multiplied there", t);
  }
  return CUDA_R_32F;
}

cublasComputeType_t compute_type(const MatrixProduct& m) {
  return m.dtype == DType::f32 && m.math == Math::tf32 ? CUBLAS_COMPUTE_32F_FAST_TF32 : CUBLAS_COMPUTE_32F;
}

cublasLtEpilogue_t epilogue(const MatrixProduct& m) {
  if (m.bias) return m.relu ? CUBLASLT_EPILOGUE_RELU_BIAS : CUBLASLT_EPILOGUE_BIAS;
  return m.relu ? CUBLASLT_EPILOGUE_RELU : CUBLASLT_EPILOGUE_DEFAULT;
}

LtMatrix matrix(DType type, i64 rows, i64 columns, i64 pitch) {
  cublasLtMatrixLayout_t made = nullptr;
  check(cublasLtMatrixLayoutCreate(&made, data_type(type), static_cast<std::uint64_t>(rows),
                                   static_cast<std::uint64_t>(columns), pitch),
        "describing a matrix");
  return LtMatrix(made);
}

template <class T>
void set(const LtOperation& operation, cublasLtMatmulDescAttributes_t name, const T& value) {
  check(cublasLtMatmulDescSetAttribute(operation.get(), name, &value, sizeof value), "describing a product");
}

using Preference = std::unique_ptr<cublasLtMatmulPreferenceOpaque_t,
                                   LtDestroy<cublasLtMatmulPreferenceOpaque_t, cublasLtMatmulPreferenceDestroy>>;

template <class T>
void prefer(const Preference& p, cublasLtMatmulPreferenceAttributes_t name, T value) {
  check(cublasLtMatmulPreferenceSetAttribute(p.get(), name, &value, sizeof value), "choosing an algorithm");
}

Preference preference(const MatrixProduct& m) {
  cublasLtMatmulPreference_t made = nullptr;
  check(cublasLtMatmulPreferenceCreate(&made), "choosing an algorithm");
  Preference p(made);
  prefer(p, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, most_workspace);
  prefer(p, CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK,
         static_cast<std::uint32_t>(CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE));
  const auto bytes = [&](std::size_t i) { return static_cast<std::uint32_t>(m.alignment[i]); };
  prefer(p, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, bytes(0));
  prefer(p, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES, bytes(1));
  prefer(p, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, bytes(2));
  prefer(p, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES, bytes(2));
  return p;
}

cublasLtHandle_t handle() { return reinterpret_cast<cublasLtHandle_t>(Context::current().blas()); }

AlgorithmWords words_of(const cublasLtMatmulAlgo_t& algorithm) {
  AlgorithmWords words{};
  static_assert(sizeof words == sizeof algorithm.data);
  std::copy(std::begin(algorithm.data), std::end(algorithm.data), words.begin());
  return words;
}

}  // namespace

LtProduct::LtProduct(const MatrixProduct& m) : product_(m) {
  cublasLtMatmulDesc_t made = nullptr;
  check(cublasLtMatmulDescCreate(&made, compute_type(m), CUDA_R_32F), "describing a product");
  operation_.reset(made);
  set(operation_, CUBLASLT_MATMUL_DESC_TRANSA, m.transpose_left ? CUBLAS_OP_T : CUBLAS_OP_N);
  set(operation_, CUBLASLT_MATMUL_DESC_TRANSB, m.transpose_right ? CUBLAS_OP_T : CUBLAS_OP_N);
  set(operation_, CUBLASLT_MATMUL_DESC_EPILOGUE, epilogue(m));
  // Until there is a bias, an address aligned like one: algorithms are chosen for it, nobody reads there.
  if (m.bias) set(operation_, CUBLASLT_MATMUL_DESC_BIAS_POINTER, reinterpret_cast<const void*>(std::uintptr_t{16}));
  left_ =
      m.transpose_left ? matrix(m.dtype, m.inner, m.rows, m.pitch[0]) : matrix(m.dtype, m.rows, m.inner, m.pitch[0]);
  right_ = m.transpose_right ? matrix(m.dtype, m.columns, m.inner, m.pitch[1])
                             : matrix(m.dtype, m.inner, m.columns, m.pitch[1]);
  result_ = matrix(m.dtype, m.rows, m.columns, m.pitch[2]);
}

std::vector<LtAlgorithm> LtProduct::algorithms() const {
  cublasLtMatmulHeuristicResult_t results[most_algorithms]{};
  int count = 0;
  const cublasStatus_t status =
      cublasLtMatmulAlgoGetHeuristic(handle(), operation_.get(), left_.get(), right_.get(), result_.get(),
                                     result_.get(), preference(product_).get(), most_algorithms, results, &count);
  std::vector<LtAlgorithm> found;
  if (status != CUBLAS_STATUS_SUCCESS) return found;
  for (const auto& r : std::span(results, static_cast<std::size_t>(count)))
    if (r.state == CUBLAS_STATUS_SUCCESS) found.push_back({r.algo, r.workspaceSize, algorithm_name(words_of(r.algo))});
  return found;
}

std::optional<LtAlgorithm> LtProduct::named(const std::string& name) const {
  const auto words = read_algorithm_name(name);
  if (!words) return std::nullopt;
  LtAlgorithm made;
  made.name = name;
  std::copy(words->begin(), words->end(), std::begin(made.algorithm.data));
  cublasLtMatmulHeuristicResult_t result{};
  const cublasStatus_t status = cublasLtMatmulAlgoCheck(handle(), operation_.get(), left_.get(), right_.get(),
                                                        result_.get(), result_.get(), &made.algorithm, &result);
  if (status != CUBLAS_STATUS_SUCCESS || result.state != CUBLAS_STATUS_SUCCESS) return std::nullopt;
  made.workspace = result.workspaceSize;
  if (made.workspace > most_workspace) return std::nullopt;
  return made;
}

void LtProduct::run(const LtAlgorithm& a, const ProductData& d) const {
  Context& context = Context::current();
  const Tensor workspace({static_cast<i64>(a.workspace)}, DType::u8, context.device());
  if (product_.bias) set(operation_, CUBLASLT_MATMUL_DESC_BIAS_POINTER, d.bias);
  const float one = 1, beta = product_.adds ? 1 : 0;  // the result is both C and D
  check(cublasLtMatmul(handle(), operation_.get(), &one, d.left, left_.get(), d.right, right_.get(), &beta, d.result,
                       result_.get(), d.result, result_.get(), &a.algorithm, workspace.raw(), a.workspace,
                       context.compute().handle()),
        "multiplying matrices");
}

std::size_t cublaslt_version() { return cublasLtGetVersion(); }

}  // namespace dactyl
#endif
