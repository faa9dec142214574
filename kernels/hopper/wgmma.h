// Hopper's matrix unit and what belongs to it, one function per instruction (PTX ISA, "wgmma"). Compiled for sm_90a
// only. For .cu files of the GPU build only.
//
// A warpgroup (four warps, the first a multiple of four) multiplies together. In a result d of 64 rows, warp w and lane
// l hold in d[4i] to d[4i + 3] rows 16w + l/4 and, in the second two, 8 further; columns 8i + 2(l mod 4) and one
// further.
#pragma once

#ifdef __CUDA_ARCH_FEAT_SM90_ALL
#include <cstdint>

namespace dactyl::hopper {

__device__ inline unsigned shared_address(const void* p) { return static_cast<unsigned>(__cvta_generic_to_shared(p)); }

// The thread's warpgroup, in a way that lets the compiler see that a warp agrees on it.
__device__ inline int warpgroup() { return __shfl_sync(~0u, static_cast<int>(threadIdx.x) / 128, 0); }

// An operand in shared memory, made of core matrices: 8 rows of 16 bytes, 128 bytes in a row. Where numbers along the
// sum's index are neighbours, `leading` bytes lead to the next 8 of them and `stride` bytes to the next 8 rows or
// columns; where numbers along the other index are neighbours, `stride` bytes lead to the next 8 of those and `leading`
// bytes to the next 8 of the sum's. All are multiples of 16. No swizzle.
__device__ inline std::uint64_t operand(unsigned address, unsigned leading, unsigned stride) {
  return std::uint64_t{address >> 4} | std::uint64_t{leading >> 4} << 16 | std::uint64_t{stride >> 4} << 32;
}

// Before the first multiplication, and wherever its registers have been written otherwise.
__device__ inline void open_multiplications() { asm volatile("wgmma.fence.sync.aligned;\n" ::: "memory"); }

// What has been asked for since the last end is a group. Waits for all of the warpgroup's groups but the last `later`.
__device__ inline void end_multiplications() { asm volatile("wgmma.commit_group.sync.aligned;\n" ::: "memory"); }
template <int later>
__device__ void wait_for_multiplications() {
  asm volatile("wgmma.wait_group.sync.aligned %0;\n" ::"n"(later) : "memory");
}

// Keeps the compiler from reading results ahead of the wait above.
template <int n>
__device__ void settle(float (&d)[n]) {
#pragma unroll
  for (int i = 0; i < n; ++i) asm volatile("" : "+f"(d[i])::"memory");
}

// What this thread wrote to shared memory becomes visible to the matrix unit (after the barrier that follows).
__device__ inline void publish_to_matrix_unit() { asm volatile("fence.proxy.async.shared::cta;\n" ::: "memory"); }

// Barriers 1 to 15 of a block, each of `threads` threads that may stand at different places of the program: one that
// waits goes on when all have come, one that arrives goes on at once. What was written before is then seen by all.
template <int threads>
__device__ void wait_at(int barrier) {
  asm volatile("bar.sync %0, %1;\n" ::"r"(barrier), "n"(threads) : "memory");
}
template <int threads>
__device__ void arrive_at(int barrier) {
  asm volatile("bar.arrive %0, %1;\n" ::"r"(barrier), "n"(threads) : "memory");
}

// 8×8 numbers of 16 bits: lane l gives numbers 2(l mod 4) and one further of row l/4, and gets them of column l/4.
__device__ inline std::uint32_t turned(std::uint32_t two) {
  std::uint32_t to;
  asm volatile("movmatrix.sync.aligned.m8n8.trans.b16 %0, %1;\n" : "=r"(to) : "r"(two));
  return to;
}

// 8 bytes to global memory by one instruction.
__device__ inline void store_two(void* to, std::uint32_t a, std::uint32_t b) {
  asm volatile("st.global.v2.b32 [%0], {%1, %2};\n" ::"l"(to), "r"(a), "r"(b) : "memory");
}

// Four 8×8 matrices from shared memory, each turned; lane 8i + r says where row r of matrix i lies.
__device__ inline void load_turned(std::uint32_t (&to)[4], unsigned row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];\n"
               : "=r"(to[0]), "=r"(to[1]), "=r"(to[2]), "=r"(to[3])
               : "r"(row)
               : "memory");
}

// 16 bytes to shared memory on their own, zeros if not `any`; and the wait for all of the thread's.
__device__ inline void copy_pack(unsigned to, const void* from, bool any) {
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;\n" ::"r"(to), "l"(from), "r"(any ? 16 : 0) : "memory");
}
__device__ inline void finish_copies() { asm volatile("cp.async.wait_all;\n" ::: "memory"); }

}  // namespace dactyl::hopper
#endif
