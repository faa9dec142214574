// Matrix product: cuBLASLt on the GPU, oneDNN on the CPU, loops as the reference.
#pragma once

#include "kernels/ops.h"

namespace dactyl {

// c = op(a) op(b), plus bias per column of c if defined, then relu if asked. Matrices are (rows, columns), row-major,
// dense, of one floating-point type on one device; op transposes if its flag is set. Throws with the shapes if they
// do not fit.
void gemm(Tensor c, const Tensor& a, bool transpose_a, const Tensor& b, bool transpose_b, const Tensor& bias = {},
          bool relu = false, Algorithm algorithm = Algorithm::automatic);

// The GPU's half, on the compute stream, for f32, bf16 and f16; arguments as above and already checked. Sums in f32;
// f32 factors keep all their digits unless Context::math says tf32. A linear layer is a convolution of single pixels,
// so its algorithm is searched, checked and remembered like a convolution's (conv_search.h). False, with nothing
// computed, if no library has a right one, or if both are transposed, which no layer asks for.
[[nodiscard]] bool gemm_on_gpu(Tensor c, const Tensor& a, bool transpose_a, const Tensor& b, bool transpose_b,
                               const Tensor& bias, bool relu);

}  // namespace dactyl
