// How 128 threads bring the rows that a tile sees into lines: words of two numbers from global memory to registers,
// from there 16 bytes at a time to shared memory. Zeros stand where the window sees padding. Internal to the kernels.
#pragma once

#include "kernels/hopper/stem_lines.h"
#include "kernels/hopper/stem_words.h"

namespace dactyl::hopper {

constexpr int stagers = 128;  // threads

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

template <int channels>
class Staged {
 public:
  using Part = Share<channels>;

  HD explicit Staged(int thread) : position_(thread % Part::positions), chunk_(thread / Part::positions) {}

  // wide: rows begin at multiples of 8 bytes and padding ends at whole pairs, so that words can be loaded by twos. What
  // is loaded is looked at by `store` alone.
  template <bool wide>
  HD void load(const StemShape& s, const Tile& t, int tap, const std::uint16_t* x) {
    const int d = s.frame(t, tap), first = 2 * t.row - s.low[1] + chunk_ * Part::step;
    const int at = (2 * (t.column + position_) - s.low[2]) * channels;
    const bool any = s.has_frame(d) && chunk_ < Part::chunks;
    const std::uint16_t* frame = x + (i64{t.n} * s.in[0] + (any ? d : 0)) * s.in[1] * s.numbers;
    const int height = any ? s.in[1] : 0;  // 0: nothing is read
    for (int r = 0; r < Part::rows; ++r) {
      const bool inside = static_cast<unsigned>(first + r) < static_cast<unsigned>(height);
      load_row<wide>(words_[r], frame + (inside ? i64{first + r} * s.numbers : 0), at, inside ? s.numbers : 0);
    }
    turned_ = wide && channels == 3 ? at / 2 & 1 : 0;
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

  // Of 3 words two begin at a multiple of 8 bytes: the first two, or the last two, which then lie before the first.
  template <bool wide>
  HD static void load_row(std::uint32_t (&to)[Part::words], const std::uint16_t* row, int at, int count) {
    const auto inside = [&](int number) { return static_cast<unsigned>(number) < static_cast<unsigned>(count); };
    if constexpr (!wide) {
      for (int i = 0; i < Part::words; ++i) to[i] = word(row, at + 2 * i, count);
    } else if constexpr (channels == 3) {
      const int turned = at / 2 & 1;
      const TwoWords two = two_words(row, at + 2 * turned, inside(at));
      to[0] = two.a, to[1] = two.b;
      to[2] = inside(at) ? *reinterpret_cast<const std::uint32_t*>(row + at + 4 - 4 * turned) : 0u;
    } else {
      for (int i = 0; i < 2; ++i) {
        const TwoWords two = two_words(row, at + 4 * i, inside(at + 4 * i));
        to[2 * i] = two.a, to[2 * i + 1] = two.b;
      }
    }
  }
  HD std::uint32_t in_order(int row, int i) const { return turned_ ? words_[row][(i + 2) % 3] : words_[row][i]; }

  // Five bases; behind the last chunk's there is one more of last columns.
  template <bool by_parity>
  HD void store_colour(unsigned char* lines) const {
    using L = Lines<3, by_parity>;
    for (int b = 0; b < 6; ++b) {
      const int base = chunk_ * 5 + b;
      const auto w = [&](int row, int i) { return in_order(2 * b + row, i); };
      if (b < 5 && position_ < 18)
        for (int line = 0; line < 3; ++line)
          put(lines + L::base(base) + line * L::pitch + position_ * 16, w(line, 0), w(line, 1), w(line, 2), w(3, line));
      if ((b < 5 || base == L::bases) && position_ >= 3)
        put(lines + L::last_columns + base * L::last_step + (position_ - 3) * 16, w(0, 0), w(0, 1), w(1, 0), w(1, 1));
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

  int position_, chunk_, turned_ = 0;
  std::uint32_t words_[Part::rows][Part::words];
};

}  // namespace dactyl::hopper
