// How a step of few places' products comes to shared memory, and is multiplied there. For .cu files of the GPU build
// only.
#pragma once

#ifdef __CUDACC__
#include "kernels/hopper/few_places_tile.h"
#include "kernels/hopper/mma.h"

namespace dactyl::hopper {

constexpr int few_places_threads = 256;

#ifdef __CUDA_ARCH_FEAT_SM90_ALL
// What a thread brings of each step: one pack of two rows of x and of some rows of w.
template <int columns>
struct FewPlacesCopies {
  using M = FewPlacesMemory<columns>;
  static constexpr int rows = few_places_threads / step_packs, of_x = tile_places / rows, of_w = columns / rows;
  const FewPlacesShape& s;
  int row, column, end;
  WindowAt window[of_x];
  bool has_place[of_x], has_output[of_w];
  const bf16 *x, *w;  // of the group's first channel; of the thread's first output

  __device__ FewPlacesCopies(const FewPlacesShape& shape, const FewPlacesWork& work, const bf16* all_x,
                             const bf16* all_w)
      : s(shape),
        row(static_cast<int>(threadIdx.x) / step_packs),
        column(static_cast<int>(threadIdx.x) % step_packs),
        end(work.end),
        x(all_x + work.group * s.packs * 8),
        w(all_w + i64{work.group * s.outs + work.out + row} * s.sum * 8) {
#pragma unroll
    for (int i = 0; i < of_x; ++i) {
      const int place = work.place + row + i * rows;
      has_place[i] = place < s.places;
      window[i] = s.window_of(has_place[i] ? place : 0);
    }
#pragma unroll
    for (int i = 0; i < of_w; ++i) has_output[i] = work.out + row + i * rows < s.outs;
  }

  __device__ void bring(unsigned stage, int step) const {
    const int k = step * step_packs + column;
    if (step < end) {
      const bool is_there = k < s.sum;
      const PackOfSum p = s.pack_of_sum(is_there ? k : 0);
#pragma unroll
      for (int i = 0; i < of_x; ++i) {
        const int pixel = is_there && has_place[i] ? s.pixel(window[i], p) : -1;
        copy_or_zero(stage + M::at(row + i * rows, column), x + i64{max(pixel, 0)} * s.x_pitch() + p.pack * 8,
                     pixel >= 0);
      }
#pragma unroll
      for (int i = 0; i < of_w; ++i) {
        const bool used = is_there && has_output[i];
        copy_or_zero(stage + M::x_bytes + M::at(row + i * rows, column),
                     used ? w + (i64{i} * rows * s.sum + k) * 8 : w - i64{row} * s.sum * 8, used);
      }
    }
    end_copies();
  }
};

// Half of a step's products of the warp's 16 places.
template <int columns>
__device__ void multiply_half(unsigned stage, float (&d)[columns / 8][4]) {
  using M = FewPlacesMemory<columns>;
  const int lane = threadIdx.x % 32, warp = threadIdx.x / 32, first = warp % 4 * 16, half = warp / 4;
#pragma unroll
  for (int unit = 0; unit < 2; ++unit) {
    const int column = 2 * (2 * half + unit);
    std::uint32_t a[4], b[columns / 16][4];
    load_matrices(stage + M::at(first + lane % 16, column + lane / 16), a);
#pragma unroll
    for (int i = 0; i < columns / 16; ++i)
      load_matrices(stage + M::x_bytes + M::at(16 * i + lane / 16 * 8 + lane % 8, column + lane / 8 % 2), b[i]);
#pragma unroll
    for (int i = 0; i < columns / 8; ++i) multiply_add(d[i], a, b[i / 2][i % 2 * 2], b[i / 2][i % 2 * 2 + 1]);
  }
}
#endif

}  // namespace dactyl::hopper
#endif
