// A warp's own matrix instructions and the copies that feed them, one function per instruction (PTX ISA,
// "mma.m16n8k16", "ldmatrix", "cp.async"). For .cu files of the GPU build only.
#pragma once

#ifdef __CUDA_ARCH_FEAT_SM90_ALL
#include <cstdint>

namespace dactyl::hopper {

// Sixteen bytes to shared memory while the thread goes on, or zeros.
__device__ inline void copy_or_zero(unsigned to, const void* from, bool is_there) {
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;\n" ::"r"(to), "l"(from), "r"(is_there ? 16 : 0)
               : "memory");
}
__device__ inline void end_copies() { asm volatile("cp.async.commit_group;\n" ::: "memory"); }
template <int later>  // groups that may still be under way
__device__ void wait_for_copies() {
  asm volatile("cp.async.wait_group %0;\n" ::"n"(later) : "memory");
}

// Four 8×8 matrices of 16 bits, whose rows of 16 bytes the lanes name, eight each: of each a lane gets two numbers of
// row lane / 4.
__device__ inline void load_matrices(unsigned row, std::uint32_t (&m)[4]) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];\n"
               : "=r"(m[0]), "=r"(m[1]), "=r"(m[2]), "=r"(m[3])
               : "r"(row)
               : "memory");
}

// d += a bᵀ: a 16×16, b 8×16.
__device__ inline void multiply_add(float (&d)[4], const std::uint32_t (&a)[4], std::uint32_t b0, std::uint32_t b1) {
  asm("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
      "{%0, %1, %2, %3};\n"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}

}  // namespace dactyl::hopper
#endif
