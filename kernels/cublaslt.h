// A matrix product by cuBLASLt. For .cu files of the GPU build only.
#pragma once

#ifdef __CUDACC__
#include <cublasLt.h>

#include <memory>
#include <vector>

#include "kernels/conv_product.h"

namespace dactyl {

template <class T, cublasStatus_t (*destroy)(T*)>
struct LtDestroy {
  void operator()(T* p) const { destroy(p); }
};
using LtOperation =
    std::unique_ptr<cublasLtMatmulDescOpaque_t, LtDestroy<cublasLtMatmulDescOpaque_t, cublasLtMatmulDescDestroy>>;
using LtMatrix =
    std::unique_ptr<cublasLtMatrixLayoutOpaque_t, LtDestroy<cublasLtMatrixLayoutOpaque_t, cublasLtMatrixLayoutDestroy>>;

struct LtAlgorithm {
  cublasLtMatmulAlgo_t algorithm{};
  std::size_t workspace = 0;  // bytes
  std::string name;           // algorithm_name of its words
};

// A product described to cuBLASLt. Sums in f32; f32 factors keep all their digits unless the product's math says tf32;
// parts of a sum that is split over blocks are added in f32 and in a fixed order. Used by one thread.
class LtProduct {
 public:
  explicit LtProduct(const MatrixProduct&);

  // A few, the ones cuBLASLt believes in first; none if it has none for these pitches and alignments.
  std::vector<LtAlgorithm> algorithms() const;
  // The algorithm of that name; none if the name is no algorithm, or not one for this product on this GPU.
  std::optional<LtAlgorithm> named(const std::string& name) const;
  // Queued on the compute stream. Throws if cuBLASLt refuses.
  void run(const LtAlgorithm& algorithm, const ProductData& data) const;

 private:
  MatrixProduct product_;
  LtOperation operation_;
  LtMatrix left_, right_, result_;
};

std::size_t cublaslt_version();  // 130000: algorithms are those of one version

}  // namespace dactyl
#endif
