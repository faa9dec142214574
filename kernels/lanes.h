// Sixteen floats side by side. Internal to the kernels' host loops.
#pragma once

#include "engine/tensor.h"
#include "kernels/versions.h"

namespace dactyl {

constexpr int lanes = 16;
using Lanes [[gnu::vector_size(lanes * sizeof(float)), gnu::aligned(sizeof(float)), gnu::may_alias]] = float;

inline const Lanes& at(const float* x) { return *reinterpret_cast<const Lanes*>(x); }
inline Lanes& at(float* x) { return *reinterpret_cast<Lanes*>(x); }

// n rounded up to whole Lanes.
constexpr i64 in_lanes(i64 n) { return (n + lanes - 1) / lanes * lanes; }

}  // namespace dactyl
