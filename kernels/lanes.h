// Sixteen floats side by side, and functions compiled once per instruction set. Internal to the kernels' host loops.
#pragma once

#include "engine/tensor.h"

#if defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__)
#define VERSIONS __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define VERSIONS
#endif

namespace dactyl {

constexpr int lanes = 16;
using Lanes [[gnu::vector_size(lanes * sizeof(float)), gnu::aligned(sizeof(float)), gnu::may_alias]] = float;

inline const Lanes& at(const float* x) { return *reinterpret_cast<const Lanes*>(x); }
inline Lanes& at(float* x) { return *reinterpret_cast<Lanes*>(x); }

// n rounded up to whole Lanes.
constexpr i64 in_lanes(i64 n) { return (n + lanes - 1) / lanes * lanes; }

}  // namespace dactyl
