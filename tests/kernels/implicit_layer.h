// A layer to ask about as a problem.
#pragma once

#include "kernels/conv_problem.h"

namespace dactyl::hopper {

// 2c of I3D.
inline ConvProblem i3d_layer() {
  ConvProblem p;
  p.dtype = DType::bf16;
  p.batch = 32, p.ins = 64, p.outs = 192;
  p.in = p.out = {10, 56, 56}, p.kernel = {3, 3, 3}, p.low = p.high = {1, 1, 1};
  return p;
}

}  // namespace dactyl::hopper
