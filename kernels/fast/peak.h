// Largest numbers of a pack of channels with their taps, for code that is bound by a GPU's integer units: taps are
// halves, whose additions run on the units for floating point. Internal to the kernels.
#pragma once

#include "kernels/fast/best.h"

namespace dactyl::fast {

// Whole numbers below 1024 as halves, two in a word: their sums are exact.
namespace halves {
HD constexpr Word of(int n) {
  if (n == 0) return 0;
  const int bits = std::bit_width(static_cast<unsigned>(n)) - 1;
  return static_cast<Word>((15 + bits) << 10 | ((n << (10 - bits)) & 0x3ff));
}
HD constexpr Word two(int n) { return of(n) * 0x10001u; }

HD inline Word sum(Word a, Word b) {
#ifdef __CUDA_ARCH__
  Word sum;
  asm("add.f16x2 %0, %1, %2;" : "=r"(sum) : "r"(a), "r"(b));
  return sum;
#else
  const auto add = [](Word x, Word y) {
    f16 left, right;
    left.bits = static_cast<std::uint16_t>(x);
    right.bits = static_cast<std::uint16_t>(y);
    return static_cast<Word>(f16(float(left) + float(right)).bits);
  };
  return add(a, b) | add(a >> 16, b >> 16) << 16;
#endif
}

// Four numbers as bytes: with 1024 before it, a number is what the lowest bits of a half say.
HD inline Word bytes(Word a, Word b) {
  a = sum(a, two(1024)), b = sum(b, two(1024));
#ifdef __CUDA_ARCH__
  return __byte_perm(a, b, 0x6420);
#else
  return (a & 0xffu) | (a >> 16 & 0xffu) << 8 | (b & 0xffu) << 16 | (b >> 16 & 0xffu) << 24;
#endif
}
}  // namespace halves

// The numbers of a word, −∞ in place of NaNs.
template <class T>
HD Word no_nan(Word a) {
  constexpr Word lowest = Best<T>::lowest;
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
  Word most;  // the maximum of a NaN and a number is the number
  if constexpr (Best<T>::wide)
    asm("max.f32 %0, %1, %2;" : "=r"(most) : "r"(a), "r"(lowest));
  else if constexpr (std::is_same_v<T, bf16>)
    asm("max.bf16x2 %0, %1, %2;" : "=r"(most) : "r"(a), "r"(lowest));
  else
    asm("max.f16x2 %0, %1, %2;" : "=r"(most) : "r"(a), "r"(lowest));
  return most;
#else
  if constexpr (Best<T>::wide) {
    return std::bit_cast<float>(a) > std::bit_cast<float>(lowest) ? a : lowest;
  } else {
    const Word more = greater<T>(a, lowest);
    return (a & more) | (lowest & ~more);
  }
#endif
}

// What fast/best.h's Best is, four words.
template <class T>
struct Peak {
  static constexpr Word lowest = Best<T>::lowest;
  Word value[4] = {lowest, lowest, lowest, lowest}, tap[4] = {0, 0, 0, 0};

  HD static constexpr Word tap_of(int n) { return Best<T>::wide ? halves::of(n) : halves::two(n); }
  Peak() = default;
  HD explicit Peak(const Pack<Word>& first) {  // with tap 0
    for (int i = 0; i < 4; ++i) value[i] = no_nan<T>(first.v[i]);
  }
  HD void update(int i, Word v, Word t) { keep_larger<T>(value[i], tap[i], v, t); }
  HD void update(const Pack<Word>& x, int from) {
    for (int i = 0; i < 4; ++i) update(i, x.v[i], tap_of(from));
  }
  // What was found in a later part of the window, whose first tap is number `from`.
  HD void update(const Peak& later, int from) {
    for (int i = 0; i < 4; ++i)
      update(i, later.value[i], from ? halves::sum(later.tap[i], tap_of(from)) : later.tap[i]);
  }

  HD void store(T* y) const { write(y, Pack<Word>{{value[0], value[1], value[2], value[3]}}); }
  HD void store_taps(std::uint8_t* taps) const {
    if constexpr (Best<T>::wide) {
      write(taps, halves::bytes(tap[0] | tap[1] << 16, tap[2] | tap[3] << 16));
    } else {
      const Word low = halves::bytes(tap[0], tap[1]), high = halves::bytes(tap[2], tap[3]);
      write(taps, low | static_cast<std::uint64_t>(high) << 32);
    }
  }
};

}  // namespace dactyl::fast
