// What a warp does together: products by tensor cores (PTX: mma.sync.m16n8k16), 8×8 matrices read from shared memory
// (ldmatrix), copies that run while the thread goes on (cp.async). On the CPU by the lanes' fibers, with the layouts of
// the PTX manual, so that a kernel's index arithmetic is checked there. Internal to the ladder.
#pragma once

#include "benchmarks/ladder/block.h"

namespace dactyl::ladder {

using Word = std::uint32_t;  // two bf16, the lower half first

// Where a lane's i-th number lies in the 16×16 matrix A, the 16×8 matrix B and the 16×8 matrix of sums.
struct Cell {
  int row, column;
};
HD constexpr Cell cell_of_a(int lane, int i) { return {lane / 4 + i / 2 % 2 * 8, lane % 4 * 2 + i % 2 + i / 4 * 8}; }
HD constexpr Cell cell_of_b(int lane, int i) { return {lane % 4 * 2 + i % 2 + i / 2 * 8, lane / 4}; }
HD constexpr Cell cell_of_sum(int lane, int i) { return {lane / 4 + i / 2 * 8, lane % 4 * 2 + i % 2}; }

// Each lane names a row of 8 numbers for `from` in such an order: matrix 0 by lanes 0 to 7, matrix 1 by lanes 8 to 15 …
// Word j of the result holds numbers 2·(lane mod 4) and the next of row lane/4 of matrix j.
HD inline void load_matrices(const Thread& t, Word (&to)[4], const bf16* from);
// sum += a · b
HD inline void multiply(const Thread& t, float (&sum)[4], const Word (&a)[4], const Word (&b)[2]);
// 16 bytes into shared memory while the thread goes on; zeros unless `inside`. `from` must be an address in any case.
HD inline void copy_async(const Thread& t, bf16* to, const bf16* from, bool inside);
HD inline void commit(const Thread& t);  // ends a group of copies
template <int pending>
HD void wait_copies(const Thread& t);  // until at most so many of this thread's groups are under way

#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
__device__ inline unsigned shared_address(const void* p) { return static_cast<unsigned>(__cvta_generic_to_shared(p)); }

HD inline void load_matrices(const Thread&, Word (&to)[4], const bf16* from) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(to[0]), "=r"(to[1]), "=r"(to[2]), "=r"(to[3])
               : "r"(shared_address(from))
               : "memory");
}

HD inline void multiply(const Thread&, float (&sum)[4], const Word (&a)[4], const Word (&b)[2]) {
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
      "{%0, %1, %2, %3};"
      : "+f"(sum[0]), "+f"(sum[1]), "+f"(sum[2]), "+f"(sum[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

HD inline void copy_async(const Thread&, bf16* to, const bf16* from, bool inside) {
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(shared_address(to)), "l"(from),
               "r"(inside ? 16 : 0)
               : "memory");
}

HD inline void commit(const Thread&) { asm volatile("cp.async.commit_group;" ::: "memory"); }
template <int pending>
HD void wait_copies(const Thread&) {
  asm volatile("cp.async.wait_group %0;" ::"n"(pending) : "memory");
}
#elif defined(__CUDA_ARCH__)  // before Ampere there are none of these for bf16
HD inline void load_matrices(const Thread&, Word (&)[4], const bf16*) { __trap(); }
HD inline void multiply(const Thread&, float (&)[4], const Word (&)[4], const Word (&)[2]) { __trap(); }
HD inline void copy_async(const Thread&, bf16*, const bf16*, bool) { __trap(); }
HD inline void commit(const Thread&) { __trap(); }
template <int pending>
HD void wait_copies(const Thread&) {}
#else
// Every lane shows a value, then sees those of all 32. Two boards take turns, so one barrier is enough.
template <class Value, class Use>
void together(const Thread& t, const Value& mine, const Use& use) {
  static_assert(sizeof(Value) <= 64);
  auto* all = reinterpret_cast<Value*>(t.team->next_board(t.index));
  all[t.lane()] = mine;
  t.team->wait_warp(t.index);
  use(all);
}

inline float half(const Word* words, int i) {
  return std::bit_cast<float>(i % 2 ? words[i / 2] & 0xffff0000u : words[i / 2] << 16);
}

HD inline void load_matrices(const Thread& t, Word (&to)[4], const bf16* from) {
  check(aligned(from), "ladder: ldmatrix is given an address that is no multiple of 16");
  together(t, from, [&](const bf16* const* rows) {
    for (int j = 0; j < 4; ++j) {
      const bf16* row = rows[8 * j + t.lane() / 4] + t.lane() % 4 * 2;
      to[j] = row[0].bits | static_cast<Word>(row[1].bits) << 16;
    }
  });
}

HD inline void multiply(const Thread& t, float (&sum)[4], const Word (&a)[4], const Word (&b)[2]) {
  struct Fragments {
    Word a[4], b[2];
  };
  together(t, Fragments{{a[0], a[1], a[2], a[3]}, {b[0], b[1]}}, [&](const Fragments* all) {
    float left[16][16], right[16][8];
    for (int lane = 0; lane < 32; ++lane) {
      for (int i = 0; i < 8; ++i) left[cell_of_a(lane, i).row][cell_of_a(lane, i).column] = half(all[lane].a, i);
      for (int i = 0; i < 4; ++i) right[cell_of_b(lane, i).row][cell_of_b(lane, i).column] = half(all[lane].b, i);
    }
    for (int i = 0; i < 4; ++i) {
      const Cell cell = cell_of_sum(t.lane(), i);
      for (int k = 0; k < 16; ++k) sum[i] += left[cell.row][k] * right[k][cell.column];
    }
  });
}

HD inline void copy_async(const Thread& t, bf16* to, const bf16* from, bool inside) {
  check(aligned(to) && aligned(from), "ladder: cp.async is given an address that is no multiple of 16");
  t.team->copy_later(t.index, to, inside ? from : nullptr, 16);
}
HD inline void commit(const Thread& t) { t.team->commit_copies(t.index); }
template <int pending>
HD void wait_copies(const Thread& t) {
  t.team->wait_copies(t.index, pending);
}
#endif

}  // namespace dactyl::ladder
