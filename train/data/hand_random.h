// Counter-based random numbers for the rendered hands: a value depends on its address, never on call order elsewhere.
#pragma once

#include <cstdint>
#include <initializer_list>

namespace dactyl::hand {

// Finaliser of SplitMix64: a bijection of 64 bits in which every input bit reaches every output bit.
constexpr std::uint64_t scramble(std::uint64_t x) {
  x += 0x9e3779b97f4a7c15u;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

// A stream of numbers named by a list of words: (seed, label, index, purpose).
class Dice {
 public:
  explicit Dice(std::initializer_list<std::uint64_t> name) {
    for (std::uint64_t word : name) key_ = scramble(key_ ^ word);
  }

  float uniform() { return static_cast<float>(next() >> 40) * 0x1p-24f; }  // [0, 1)
  float uniform(float low, float high) { return low + (high - low) * uniform(); }
  float around(float mean, float reach) {  // triangular, within mean ± reach: extremes stay rare
    return mean + reach * (uniform() + uniform() - 1);
  }
  int below(int n) { return static_cast<int>(uniform() * static_cast<float>(n)); }  // 0 .. n-1
  bool chance(float p) { return uniform() < p; }
  std::uint64_t next() { return scramble(key_ + counter_++ * 0x632be59bd9b4e019u); }

 private:
  std::uint64_t key_ = 0, counter_ = 0;
};

}  // namespace dactyl::hand
