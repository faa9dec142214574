// The products of wgmma.h by single warps (PTX ISA, "mma.sync"), slower by prediction: from the same shared memory, into the
// same registers. For .cu files of the GPU build only.
#pragma once

#include "kernels/hopper/lanes.h"
#include "kernels/hopper/wgmma.h"

#ifdef __CUDA_ARCH_FEAT_SM90_ALL
namespace dactyl::hopper {

// Four 8×8 matrices from shared memory; lane 8i + r says where row r of matrix i lies, and gets two numbers of each.
__device__ inline void load_rows(std::uint32_t (&to)[4], unsigned row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];\n"
               : "=r"(to[0]), "=r"(to[1]), "=r"(to[2]), "=r"(to[3])
               : "r"(row)
               : "memory");
}

// d[0] to d[3] += A·B of 16×16 and 16×8 numbers: a warp's share of eight columns.
__device__ inline void multiply_by_warp(float* d, const std::uint32_t (&a)[4], std::uint32_t b0, std::uint32_t b1) {
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
      "{%0, %1, %2, %3};\n"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}

// As multiply(d, operand(a, a_leading, a_stride), operand(b, b_leading, b_stride)) along the sum's index; n is even.
template <int n>
__device__ void multiply_by_warps(float (&d)[4 * n], unsigned a, int a_leading, int a_stride, unsigned b, int b_leading,
                                  int b_stride) {
  const int lane = threadIdx.x % 32, warp = threadIdx.x / 32 % 4;
  std::uint32_t rows[4], columns[4];
  load_rows(rows, a + lane_row(warp, lane, a_leading, a_stride));
#pragma unroll
  for (int i = 0; i < n; i += 2) {
    load_rows(columns, b + i * b_stride + lane_column(lane, b_leading, b_stride));
    multiply_by_warp(d + 4 * i, rows, columns[0], columns[1]);
    multiply_by_warp(d + 4 * i + 4, rows, columns[2], columns[3]);
  }
}

// As multiply(d, a, operand(b, leading, stride)) where B's neighbours belong to neighbouring columns of d.
template <int n>
__device__ void multiply_by_warps(float (&d)[4 * n], const std::uint32_t (&a)[4], unsigned b, int leading, int stride) {
  const int lane = threadIdx.x % 32;
#pragma unroll
  for (int i = 0; i < n; i += 2) {
    std::uint32_t columns[4];
    load_turned(columns, b + i * stride + lane_column(i + 1 < n ? lane : lane % 16, leading, stride));  // none beyond n
    multiply_by_warp(d + 4 * i, a, columns[0], columns[1]);
    if (i + 1 < n) multiply_by_warp(d + 4 * i + 4, a, columns[2], columns[3]);
  }
}

}  // namespace dactyl::hopper
#endif
