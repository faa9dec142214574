// What the row loops of Farnebäck's flow are written with: eight numbers at a time, rows with room at their ends,
// versions per instruction set. Internal to the kernels.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "engine/check.h"
#include "kernels/versions.h"

namespace dactyl::farneback {

// Eight neighbouring numbers: as values, and as they lie in memory, at any number's address. Rows that are read so have
// room for eight more behind their end.
constexpr i64 lanes = 8;
using Floats [[gnu::vector_size(lanes * sizeof(float))]] = float;
using Doubles [[gnu::vector_size(lanes * sizeof(double))]] = double;
using Ints [[gnu::vector_size(lanes * sizeof(int))]] = std::int32_t;
using FloatsThere [[gnu::vector_size(lanes * sizeof(float)), gnu::aligned(sizeof(float)), gnu::may_alias]] = float;
using DoublesThere [[gnu::vector_size(lanes * sizeof(double)), gnu::aligned(sizeof(double)), gnu::may_alias]] = double;
using IntsThere [[gnu::vector_size(lanes * sizeof(int)), gnu::aligned(sizeof(int)), gnu::may_alias]] = std::int32_t;

// Rows of numbers with `pad` more at either end, and the eight.
template <class T>
class Rows {
 public:
  Rows(int rows, i64 width, i64 pad)
      : width_(width), pad_(pad), step_(width + 2 * pad + lanes), all_(static_cast<std::size_t>(rows * step_)) {}
  T* operator[](int row) { return all_.data() + row * step_ + pad_; }
  void repeat_ends(int row) {
    T* x = (*this)[row];
    std::fill(x - pad_, x, x[0]);
    std::fill(x + width_, x + width_ + pad_, x[width_ - 1]);
  }

 private:
  i64 width_, pad_, step_;
  std::vector<T> all_;
};

[[gnu::always_inline]] inline const FloatsThere& at(const float* x) { return *reinterpret_cast<const FloatsThere*>(x); }
[[gnu::always_inline]] inline const DoublesThere& at(const double* x) {
  return *reinterpret_cast<const DoublesThere*>(x);
}
[[gnu::always_inline]] inline const IntsThere& at(const std::int32_t* x) {
  return *reinterpret_cast<const IntsThere*>(x);
}
// Only the first `count`; zeros for the others.
[[gnu::always_inline]] inline void get(const float* x, i64 count, Floats& to) {
  if (count >= lanes) {
    to = at(x);
  } else {
    to = Floats{};
    for (i64 l = 0; l < count; ++l) to[l] = x[l];
  }
}
// Stores the first `count` of them, at most all.
[[gnu::always_inline]] inline void put(float* to, const Floats& x, i64 count) {
  if (count >= lanes)
    *reinterpret_cast<FloatsThere*>(to) = x;
  else
    for (i64 l = 0; l < count; ++l) to[l] = x[l];
}
[[gnu::always_inline]] inline void put(float* to, const Doubles& x, i64 count) {
  const Floats narrow = __builtin_convertvector(x, Floats);
  put(to, narrow, count);
}

}  // namespace dactyl::farneback
