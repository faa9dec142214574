// How a stem's input lies in shared memory so that the matrix unit finds windows in it. Internal to the kernels.
//
// With stride 2, neighbouring windows are a pair of pixels apart. A line holds 16 bytes for each pair position, so the
// granules (8 numbers, 16 bytes) of 8 neighbouring windows are 128 bytes in a row: what the matrix unit calls a core
// matrix. Windows overlap, the same bytes are seen at several shifts, and nothing is gathered. Only which numbers make
// up the 16 bytes is free, and decides how many of them are wasted:
//
// 3 channels: a pair of pixels is 3 words (of 2 numbers). For every second row b there are four lines:
//   lines 0 to 2: the 3 words of row b + line and, as the fourth, word `line` of row b + 3; seen at shifts 0, 1, 2 by
//   the
//                 windows whose rows begin at b and, for their rows 4 to 6, at b − 4;
//   line 3:       words 0 and 1 of rows b and b + 1: the windows' seventh column, at shift 3 alone.
//   So 7·7·3 = 147 numbers take 22 granules, 176 numbers.
// 2 channels: a pair is 2 words. A line per row: the pair and the next one, seen at shifts 0 and 2: 98 numbers take 14
//   granules, 112 numbers.
#pragma once

#include "kernels/hopper/stem_shape.h"

namespace dactyl::hopper {

// Which number of a window (or none: a weight of zero) number e of a granule is.
struct Tap {
  int row, column, channel;
  bool any;
};

// A granule of a tile's first row and column; those of the next row are `row_step` bytes further.
struct Granule {
  int at, row_step;
};

// Granules `step` bytes apart; those of the row after the next are `two_rows` bytes further.
struct Granules {
  int at, step, two_rows;
};

// by_parity: even bases (pairs of rows) first, then odd ones, so that granules of bases b and b + 2 are neighbours.
template <int channels, bool by_parity>
struct Lines;

template <bool by_parity>
struct Lines<3, by_parity> {
  static constexpr int granules = 22, k_steps = granules / 2;  // 16 numbers a step
  static constexpr int pitch = 18 * 16, base_step = 3 * pitch, bases = tile_rows + 2;
  static constexpr int last_columns = bases * base_step, last_step = tile_columns * 16;
  static constexpr int bytes = last_columns + (bases + 1) * last_step;

  HD static constexpr int base(int b) { return (by_parity ? b / 2 + b % 2 * (bases / 2) : b) * base_step; }
  HD static constexpr Tap tap(int granule, int e) {
    int row = 0, number = 0;
    if (granule < 18) {
      const int line = granule % 3;
      row = granule / 3 % 2 * 4 + (e < 6 ? line : 3);
      number = granule / 6 * 6 + (e < 6 ? e : 2 * line + e - 6);
    } else {
      row = (granule - 18) * 2 + e / 4;
      number = 18 + e % 4;
    }
    return {row, number / 3, number % 3, row < 7 && number < 21};
  }
  HD static constexpr Granule granule(int i) {
    if (i < 18) return {base(i / 3 % 2 * 2) + i % 3 * pitch + i / 6 * 16, base_step};
    return {last_columns + (i - 18) * last_step, last_step};
  }
  HD static constexpr int first_of_step(int k) { return 2 * k; }
  HD static constexpr int second_of_step(int k) { return 2 * k + 1; }
  // The granules 6·shift to 6·shift + 5, and the last four, of a tile's row; by parity alone.
  HD static constexpr Granules run(int shift, int row) {
    if (shift < 3) return {base(row) + shift * 16, pitch, base_step};
    return {last_columns + row * last_step, last_step, 2 * last_step};
  }
};

template <bool by_parity>
struct Lines<2, by_parity> {
  static constexpr int granules = 14, k_steps = granules / 2;
  static constexpr int pitch = 18 * 16, rows = 2 * tile_rows + 5, bytes = rows * pitch;

  HD static constexpr Tap tap(int granule, int e) {
    const int number = granule / 7 * 8 + e;
    return {granule % 7, number / 2, number % 2, number < 14};
  }
  HD static constexpr Granule granule(int i) { return {i % 7 * pitch + i / 7 * 32, 2 * pitch}; }
  HD static constexpr int first_of_step(int k) { return k; }
  HD static constexpr int second_of_step(int k) { return k + 7; }
  // The granules 7·shift to 7·shift + 6.
  HD static constexpr Granules run(int shift, int row) { return {2 * row * pitch + shift * 32, pitch, 4 * pitch}; }
};

// dy of a tile: outputs in rows of 128 bytes, their packs exchanged so that eight neighbours fall into all banks.
constexpr int gradient_bytes = tile_rows * tile_columns * outs * 2;
HD constexpr int pack_at(int output, int pack) { return output * outs * 2 + (pack ^ (output & 7)) * 16; }

// The pack that a lane names so that its warp loads dyᵀ of 16 channels and the 16 outputs from `first` on: matrices in
// the order of an operand's registers.
HD constexpr int turned_pack_at(int first, int warp, int lane) {
  return pack_at(first + lane % 8 + lane / 16 * 8, 2 * warp + lane / 8 % 2);
}

}  // namespace dactyl::hopper
