// How 128 threads bring the rows that a tile sees into lines: words of two numbers from global memory to registers,
// from there 16 bytes at a time to shared memory. Zeros stand where the window sees padding. Internal to the kernels.
#pragma once

#include "kernels/hopper/stem_lines.h"

namespace dactyl::hopper {

constexpr int stagers = 128;  // threads

struct alignas(16) Words {
  std::uint32_t v[4];
};

// What a stager loads: `rows` rows of `words` words, for one position and one chunk of rows.
template <int channels>
struct Share;
template <>
struct Share<3> {
  static constexpr int positions = 19, rows = 12, step = 10, words = 3, chunks = 6;
};
template <>
struct Share<2> {
  static constexpr int positions = 18, rows = 9, step = 9, words = 4, chunks = 7;
};

// Numbers `at` and `at` + 1 of a row of `count`, 0 beyond its ends. even: the row begins at a word, `at` and `count`
// are even.
template <bool even>
HD std::uint32_t word(const std::uint16_t* row, int at, int count) {
  if constexpr (even) {
    const bool inside = static_cast<unsigned>(at) < static_cast<unsigned>(count);
    return inside ? *reinterpret_cast<const std::uint32_t*>(row + at) : 0u;
  } else {
    const std::uint32_t low = static_cast<unsigned>(at) < static_cast<unsigned>(count) ? row[at] : 0u;
    const std::uint32_t high = static_cast<unsigned>(at + 1) < static_cast<unsigned>(count) ? row[at + 1] : 0u;
    return low | high << 16;
  }
}

template <int channels>
class Staged {
 public:
  using Part = Share<channels>;

  HD explicit Staged(int thread) : position_(thread % Part::positions), chunk_(thread / Part::positions) {}

  template <bool even>
  HD void load(const StemShape& s, const Tile& t, int tap, const std::uint16_t* x) {
    const int d = s.frame(t, tap), first = 2 * t.row - s.low[1] + chunk_ * Part::step;
    const int at = (2 * (t.column + position_) - s.low[2]) * channels;
    const bool any = s.has_frame(d) && chunk_ < Part::chunks;
    const std::uint16_t* frame = x + (i64{t.n} * s.in[0] + (any ? d : 0)) * s.in[1] * s.numbers;
    const int height = any ? s.in[1] : 0;  // 0: nothing is read
    for (int r = 0; r < Part::rows; ++r) {
      const bool inside = static_cast<unsigned>(first + r) < static_cast<unsigned>(height);
      const std::uint16_t* row = frame + (inside ? i64{first + r} * s.numbers : 0);
      for (int i = 0; i < Part::words; ++i) words_[r][i] = word<even>(row, at + 2 * i, inside ? s.numbers : 0);
    }
  }

  template <bool by_parity>
  HD void store(unsigned char* lines) const {
    if (chunk_ >= Part::chunks) return;
    if constexpr (channels == 3)
      store_colour<by_parity>(lines);
    else
      store_flow(lines);
  }

 private:
  HD static void put(unsigned char* to, std::uint32_t a, std::uint32_t b, std::uint32_t c, std::uint32_t d) {
    *reinterpret_cast<Words*>(to) = {{a, b, c, d}};
  }

  // Five bases; behind the last chunk's there is one more of last columns.
  template <bool by_parity>
  HD void store_colour(unsigned char* lines) const {
    using L = Lines<3, by_parity>;
    for (int b = 0; b < 6; ++b) {
      const int base = chunk_ * 5 + b;
      const auto& w = words_ + 2 * b;
      if (b < 5 && position_ < 18)
        for (int line = 0; line < 3; ++line)
          put(lines + L::base(base) + line * L::pitch + position_ * 16, w[line][0], w[line][1], w[line][2], w[3][line]);
      if ((b < 5 || base == L::bases) && position_ >= 3)
        put(lines + L::last_columns + base * L::last_step + (position_ - 3) * 16, w[0][0], w[0][1], w[1][0], w[1][1]);
    }
  }

  HD void store_flow(unsigned char* lines) const {
    using L = Lines<2, false>;
    for (int r = 0; r < Part::rows; ++r) {
      const int row = chunk_ * Part::step + r;
      if (row < L::rows)
        put(lines + row * L::pitch + position_ * 16, words_[r][0], words_[r][1], words_[r][2], words_[r][3]);
    }
  }

  int position_, chunk_;
  std::uint32_t words_[Part::rows][Part::words];
};

}  // namespace dactyl::hopper
