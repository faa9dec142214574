// A convolution that is one product of matrices, in cuBLASLt's terms, and its algorithms' names. Internal to the
// kernels.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "kernels/conv_problem.h"

namespace dactyl {

// result = op(left) op(right), then bias, then relu; or result += op(left) op(right). cuBLASLt thinks in columns: a
// row-major (r, c) matrix is to it a column-major (c, r) one. So it is asked for cᵀ = op(b)ᵀ op(a)ᵀ where we mean c =
// op(a) op(b): left is b, right is a, both as they lie. `rows` and `columns` are the result's; the bias has a number
// per row, our column.
struct MatrixProduct {
  DType dtype = DType::f32;
  Math math = Math::fp32;
  bool transpose_left = false, transpose_right = false, bias = false, relu = false, adds = false;
  i64 rows = 1, columns = 1, inner = 1;
  std::array<i64, 3> pitch{1, 1, 1};         // numbers from one column to the next, of left, right and result
  std::array<i64, 3> alignment{16, 16, 16};  // bytes, of their addresses

  bool operator==(const MatrixProduct&) const = default;
};

// One tap, moved by 1, no padding, one group: rows of pixels times w, whatever the pixels' arrangement. A slice is only
// a pitch. Nothing for all other problems and for empty ones.
//   forward y = x wᵀ (left w, right x) · data dx = dy w (left w, right dy) · weights dw = dyᵀ x (left x, right dy)
std::optional<MatrixProduct> as_product(const ConvProblem&);

// The addresses of the three for a pass.
struct ProductData {
  const void *left, *right, *bias;
  void* result;
};
ProductData product_data(Pass pass, const ConvData& data);

// cuBLASLt's description of an algorithm. Its words mean something to the library alone, but it promises that they may
// be kept and given back to the same version of it.
using AlgorithmWords = std::array<std::uint64_t, 8>;
std::string algorithm_name(const AlgorithmWords&);  // "gemm 42 0 5a": hexadecimal, without the zeros at the end
std::optional<AlgorithmWords> read_algorithm_name(const std::string&);  // nothing if it is not exactly such a name

}  // namespace dactyl
