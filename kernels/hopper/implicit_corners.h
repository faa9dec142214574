// Where the copy engine finds the places of an implicit product. Internal to the kernels.
#pragma once

#include "kernels/hopper/implicit_shape.h"

namespace dactyl::hopper {

// The box that a run of places stays within, as the copy engine wants it (CUDA driver, cuTensorMapEncodeIm2col): from
// one corner, relative to the tensor's first pixel, to another, relative to its last. Width, height, depth.
struct Corners {
  int low[3], high[3];
};
// Of x, as the window's first tap sees it: a place is a pixel, and a row of the box has `row` of them.
inline Corners input_corners(const ImplicitShape& s) {
  return {{-s.low[2], -s.low[1], -s.low[0]},
          {s.row - s.in[2] - s.low[2], s.out[1] - s.in[1] - s.low[1], s.out[0] - s.in[0] - s.low[0]}};
}
// Of y or its gradient.
inline Corners output_corners(const ImplicitShape& s) { return {{0, 0, 0}, {s.row - s.out[2], 0, 0}}; }

}  // namespace dactyl::hopper
