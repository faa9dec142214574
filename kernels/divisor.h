// Division by a number that is known beforehand, for index arithmetic on the GPU. Internal to the kernels.
#pragma once

#include <bit>
#include <cstdint>

#include "engine/dtype.h"

namespace dactyl {

// Quotients of numbers below 2^31 by one that is known beforehand, without dividing: a multiplication and a shift
// (Granlund and Montgomery 1994).
struct Divisor {
  std::uint32_t by = 1, magic = 1, shift = 0;

  Divisor() = default;
  explicit Divisor(i64 d)
      : by(static_cast<std::uint32_t>(d)), shift(static_cast<std::uint32_t>(std::bit_width(by - 1))) {
    magic = static_cast<std::uint32_t>((((std::uint64_t{1} << shift) - by) << 32) / by + 1);
  }
  HD std::uint32_t of(std::uint32_t n) const {
    return (static_cast<std::uint32_t>((std::uint64_t{n} * magic) >> 32) + n) >> shift;
  }
  HD std::uint32_t split(std::uint32_t n, int& rest) const {  // the quotient, and what is left
    const std::uint32_t q = of(n);
    rest = static_cast<int>(n - q * by);
    return q;
  }
};

// The same of ints, 0 or more.
HD inline int quotient(const Divisor& by, int n, int& rest) {
  return static_cast<int>(by.split(static_cast<std::uint32_t>(n), rest));
}
HD inline int quotient(const Divisor& by, int n) { return static_cast<int>(by.of(static_cast<std::uint32_t>(n))); }

}  // namespace dactyl
