// What this machine can do at most, measured: bytes copied and matrix arithmetic per second.
#pragma once

#include "engine/engine.h"

namespace dactyl {

// Bytes read plus bytes written per second by a copy far larger than any cache, on the current device.
double copy_roof(double seconds = 0.2);
// Floating-point operations per second (a multiply-add is two) of a large square product by our gemm, in this type and
// with the current context's Math. Of both roofs the fastest repetition counts.
double matrix_roof(DType type, double seconds = 0.2);

// Of the current device, for one type.
struct Roofs {
  double bytes_per_s = 0, flops_per_s = 0;
  // The least seconds that work of this size can take.
  double bound(double flops, double bytes) const {
    return flops / flops_per_s > bytes / bytes_per_s ? flops / flops_per_s : bytes / bytes_per_s;
  }
};
Roofs measure_roofs(DType type, double seconds = 0.2);

}  // namespace dactyl
