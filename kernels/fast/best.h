// Largest numbers of a pack of channels and where they came from. Internal to the kernels.
#pragma once

#include <cstring>

#ifdef __CUDACC__
#include <cuda_bf16.h>
#endif

#include "engine/pack.h"

namespace dactyl::fast {

using Word = std::uint32_t;

// Bytes read and written as another type of the same alignment.
template <class To>
HD To read(const void* from) {
#ifdef __CUDA_ARCH__
  return *static_cast<const To*>(from);
#else
  To to;
  std::memcpy(&to, from, sizeof to);
  return to;
#endif
}
template <class From>
HD void write(void* to, const From& from) {
#ifdef __CUDA_ARCH__
  *static_cast<From*>(to) = from;
#else
  std::memcpy(to, &from, sizeof from);
#endif
}

// All ones in each half of a word where a > b; never for a NaN, and −0 is not less than 0.
template <class T>
HD Word greater(Word a, Word b) {
#ifdef __CUDA_ARCH__
  if constexpr (std::is_same_v<T, bf16>)
    return __hgt2_mask(*reinterpret_cast<__nv_bfloat162*>(&a), *reinterpret_cast<__nv_bfloat162*>(&b));
  else
    return __hgt2_mask(*reinterpret_cast<__half2*>(&a), *reinterpret_cast<__half2*>(&b));
#else
  const auto half = [](Word word, int shift) {
    T value;
    value.bits = static_cast<std::uint16_t>(word >> shift);
    return float(value);
  };
  return (half(a, 0) > half(b, 0) ? 0xffffu : 0u) | (half(a, 16) > half(b, 16) ? 0xffff0000u : 0u);
#endif
}

// The larger numbers of two words with their taps; of equal ones those that were there.
template <class T>
HD void keep_larger(Word& value, Word& tap, Word v, Word t) {
  if constexpr (sizeof(T) == 4) {
    const bool more = std::bit_cast<float>(v) > std::bit_cast<float>(value);
    value = more ? v : value;
    tap = more ? t : tap;
  } else {
    const Word more = greater<T>(v, value);
    value = (v & more) | (value & ~more);
    tap = (t & more) | (tap & ~more);
  }
}

// Four words of numbers, one f32 or two narrow ones in each, and beside each number its tap.
template <class T>
struct Best {
  static constexpr bool wide = sizeof(T) == 4;
  static constexpr Word lowest = std::is_same_v<T, float>  ? 0xff800000u  // −∞
                                 : std::is_same_v<T, bf16> ? 0xff80ff80u
                                                           : 0xfc00fc00u;
  Word value[4] = {lowest, lowest, lowest, lowest}, tap[4] = {0, 0, 0, 0};

  HD static constexpr Word spread(int tap) { return static_cast<Word>(tap) * (wide ? 1u : 0x10001u); }

  HD void update(int i, Word v, Word t) { keep_larger<T>(value[i], tap[i], v, t); }
  HD void update(const Pack<Word>& x, int from) {
    for (int i = 0; i < 4; ++i) update(i, x.v[i], spread(from));
  }
  // What was found in a later part of the window, whose first tap is number `from`.
  HD void update(const Best& later, int from) {
    for (int i = 0; i < 4; ++i) update(i, later.value[i], later.tap[i] + spread(from));
  }

  HD static Pack<Word> nothing() { return {{lowest, lowest, lowest, lowest}}; }
  HD static Pack<Word> load(const T* x) { return read<Pack<Word>>(x); }

  HD void store(T* y, std::uint8_t* taps) const {
    write(y, Pack<Word>{{value[0], value[1], value[2], value[3]}});
    if (!taps) return;
    if constexpr (wide) {
      write(taps, tap[0] | tap[1] << 8 | tap[2] << 16 | tap[3] << 24);
    } else {
      const Word low = bytes(tap[0]) | bytes(tap[1]) << 16, high = bytes(tap[2]) | bytes(tap[3]) << 16;
      write(taps, low | static_cast<std::uint64_t>(high) << 32);
    }
  }
  HD static Word bytes(Word pair) { return (pair & 0xffu) | pair >> 8; }
};

}  // namespace dactyl::fast
