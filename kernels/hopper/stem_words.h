// A row of a picture as words of two numbers. Internal to the kernels.
#pragma once

#include "engine/dtype.h"

namespace dactyl::hopper {

struct alignas(16) Words {
  std::uint32_t v[4];
};

// Numbers `at` and `at` + 1 of a row of `count`, 0 beyond its ends.
HD inline std::uint32_t word(const std::uint16_t* row, int at, int count) {
  const std::uint32_t low = static_cast<unsigned>(at) < static_cast<unsigned>(count) ? row[at] : 0u;
  const std::uint32_t high = static_cast<unsigned>(at + 1) < static_cast<unsigned>(count) ? row[at + 1] : 0u;
  return low | high << 16;
}

struct alignas(8) TwoWords {
  std::uint32_t a, b;
};
HD inline TwoWords two_words(const std::uint16_t* row, int at, bool inside) {
  return inside ? *reinterpret_cast<const TwoWords*>(row + at) : TwoWords{0, 0};
}

}  // namespace dactyl::hopper
