// Matrix product: cuBLASLt on the GPU, oneDNN on the CPU, loops as the reference.
#pragma once

#include "kernels/ops.h"

namespace dactyl {

// c = op(a) op(b), plus bias per column of c if defined, then relu if asked. Matrices are (rows, columns), row-major,
// dense, of one floating-point type on one device; op transposes if its flag is set. Throws with the shapes if they
// do not fit.
void gemm(Tensor c, const Tensor& a, bool transpose_a, const Tensor& b, bool transpose_b, const Tensor& bias = {},
          bool relu = false, Algorithm algorithm = Algorithm::automatic);

// The GPU's half, on the compute stream; arguments as above and already checked. Sums in f32 (f64 for f64); f32 factors
// keep all their digits unless Context::math says tf32. False, with nothing computed, if cuBLASLt has no algorithm.
[[nodiscard]] bool cublas_gemm(Tensor c, const Tensor& a, bool transpose_a, const Tensor& b, bool transpose_b,
                               const Tensor& bias, bool relu);

}  // namespace dactyl
