// Eight numbers of runs that lie at any address of their type. Internal to the kernels.
#pragma once

#include <cstdint>

#include "engine/tensor.h"

namespace dactyl {

namespace detail {

template <class T>
struct alignas(sizeof(T) * 8 < 16 ? sizeof(T) * 8 : 16) Eight {
  T v[8];
};

// Of eight numbers, those of [first, last) lie side by side: number e is number at + e of a tensor. No others are read.
struct Run {
  i64 at;
  int first, last;

  HD Run(i64 at, int first, int last) : at(at), first(first), last(first < last ? last : nothing) {}
  HD bool has(int e) const { return e >= first && e < last; }

 private:
  static constexpr int nothing = -8;  // also for words that begin before the eight
};

// The 4 bytes at an address that is a multiple of 4, of which half may lie behind a tensor's end: blocks of the pool
// are multiples of 512 bytes. Address sanitizers see the end itself.
[[gnu::no_sanitize_address]] HD inline std::uint32_t word_at(const char* address) {
#ifdef __CUDA_ARCH__
  return *reinterpret_cast<const std::uint32_t*>(address);
#else
  std::uint32_t word;
  __builtin_memcpy(&word, address, sizeof(word));
  return word;
#endif
}

// The 4 bytes from bit `shift` < 32 of both on.
HD inline std::uint32_t straddling(std::uint32_t low, std::uint32_t high, unsigned shift) {
#ifdef __CUDA_ARCH__
  return __funnelshift_r(low, high, shift);
#else
  return static_cast<std::uint32_t>(((std::uint64_t{high} << 32) | low) >> shift);
#endif
}

// words[k]: numbers 2k and 2k + 1, of 2 bytes each, where the run has them; anything elsewhere. Reads aligned words of
// which at least half is asked for.
HD inline void read_words(const void* from, const Run& run, std::uint32_t (&words)[4]) {
  const auto address = reinterpret_cast<std::uintptr_t>(from) / 2 + static_cast<std::uintptr_t>(run.at);
  const int odd = static_cast<int>(address & 1);  // then the first word begins a number before the eight
  const char* first = static_cast<const char*>(from) + 2 * (run.at - odd);
  std::uint32_t aligned[5];
  for (int k = 0; k < 5; ++k) {
    const bool asked_for = 2 * k + 1 - odd >= run.first && 2 * k - odd < run.last;
    aligned[k] = asked_for ? word_at(first + 4 * k) : 0;
  }
  for (int k = 0; k < 4; ++k) words[k] = straddling(aligned[k], aligned[k + 1], 16 * static_cast<unsigned>(odd));
}

// Numbers of `run` before number `end`, of `behind` from there on; zeros where there are none.
template <class T>
HD Eight<T> of_two(const T* from, const Run& run, const Run& behind, int end) {
  Eight<T> y;
  for (int e = 0; e < 8; ++e) {
    const bool has = e < end ? run.has(e) : behind.has(e);
    y.v[e] = has ? from[(e < end ? run.at : behind.at) + e] : T(compute_t<T>(0));
  }
  return y;
}

// The same where numbers have 2 bytes, by words.
template <class T>
requires(sizeof(T) == 2) HD Eight<T> of_two(const T* from, const Run& run, const Run& behind, int end) {
  struct alignas(16) Words {
    std::uint32_t v[4];
  };
  Words first, second;
  read_words(from, run, first.v);
  read_words(from, behind, second.v);
  for (int k = 0; k < 4; ++k) {
    const std::uint32_t before = end >= 2 * k + 2 ? ~0u : end == 2 * k + 1 ? 0xffffu : 0u;
    first.v[k] = (first.v[k] & before) | (second.v[k] & ~before);
  }
  auto y = std::bit_cast<Eight<T>>(first);
  const bool all =
      run.first == 0 && run.last == (end < 8 ? end : 8) && (end >= 8 || (behind.first == end && behind.last == 8));
  if (all) return y;
  for (int e = 0; e < 8; ++e)
    if (!(e < end ? run.has(e) : behind.has(e))) y.v[e] = T(0.0f);
  return y;
}

}  // namespace detail

}  // namespace dactyl
