// Where a filter's numbers go: into the operand of the forward pass, and back from the sums of the weights' gradient.
// Internal to the kernels.
#pragma once

#include "kernels/hopper/stem_lines.h"

namespace dactyl::hopper {

// Place among w (outs, depth, 7, 7, channels).
template <int channels>
HD i64 filter_place(const StemShape& s, int out, int depth_tap, const Tap& t) {
  return ((i64{out} * s.depth + depth_tap) * 49 + t.row * 7 + t.column) * channels + t.channel;
}

// Row m of a forward result is this output. So permuted, a lane that turns its two halves of 8 rows has four
// neighbours.
HD constexpr int out_of_row(int m) { return m / 16 * 16 + m % 8 / 2 * 4 + m / 8 % 2 * 2 + m % 2; }

// The forward pass's operand: for each tap along the depth and each step 16 numbers of 64 rows, in two halves of eight
// core matrices.
template <int channels>
struct Filters {
  using L = Lines<channels, false>;
  static constexpr int step_bytes = 2 * outs * 16, half_bytes = outs * 16, slab_bytes = L::k_steps * step_bytes;
  static constexpr int slab = slab_bytes / 2;  // numbers

  // Which of w's numbers lies at a place; −1: a zero.
  HD static i64 source(const StemShape& s, int place) {
    const int e = place % 8, m = place / 8 % outs, half = place / (8 * outs) % 2, k = place % slab / (16 * outs);
    const Tap t = L::tap(half ? L::second_of_step(k) : L::first_of_step(k), e);
    return t.any ? filter_place<channels>(s, out_of_row(m), place / slab, t) : -1;
  }
};

// Sums of the weights' gradient: for each tap along the depth, each number of all granules and each output one.
template <int channels>
struct FilterSums {
  using L = Lines<channels, true>;
  static constexpr int slab = L::granules * 8 * outs;

  // Which of dw's numbers a place belongs to; −1: none.
  HD static i64 target(const StemShape& s, int place) {
    const int out = place % outs, number = place / outs % (L::granules * 8);
    const Tap t = L::tap(number / 8, number % 8);
    return t.any ? filter_place<channels>(s, out, place / slab, t) : -1;
  }
};

}  // namespace dactyl::hopper
