// Which rows of 16 bytes a warp's lanes name when they load 8×8 matrices of an operand, four at a time. Offsets in
// bytes; `leading` and `stride` as in wgmma.h. Internal to the kernels.
#pragma once

#include "engine/dtype.h"

namespace dactyl::hopper {

// The operand's 16 rows of a warp: rows, the next eight, then both of the sum's next eight.
HD constexpr int lane_row(int warp, int lane, int leading, int stride) {
  return (2 * warp + lane / 8 % 2) * stride + lane / 16 * leading + lane % 8 * 16;
}

// Eight columns, the sum's next eight of them, then both of the next eight columns.
HD constexpr int lane_column(int lane, int leading, int stride) {
  return lane / 16 * stride + lane / 8 % 2 * leading + lane % 8 * 16;
}

}  // namespace dactyl::hopper
