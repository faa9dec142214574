// A counter-based generator (Philox 4x32-10, Salmon et al. 2011) that gives the same numbers on both devices.
#pragma once

#include <array>
#include <cstdint>

#include "engine/dtype.h"
#include "engine/tensor.h"

namespace dactyl {

struct Philox {
  std::uint32_t key[2];

  HD explicit Philox(std::uint64_t seed)
      : key{static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)} {}

  struct Block {
    std::uint32_t v[4];
  };
  // Four random words for a 128-bit counter.
  HD Block operator()(std::uint32_t c0, std::uint32_t c1 = 0, std::uint32_t c2 = 0, std::uint32_t c3 = 0) const {
    std::uint32_t k0 = key[0], k1 = key[1];
    Block x{{c0, c1, c2, c3}};
    for (int round = 0; round < 10; ++round) {
      const std::uint64_t p0 = std::uint64_t{0xD2511F53u} * x.v[0], p1 = std::uint64_t{0xCD9E8D57u} * x.v[2];
      x = Block{{static_cast<std::uint32_t>(p1 >> 32) ^ x.v[1] ^ k0, static_cast<std::uint32_t>(p1),
                 static_cast<std::uint32_t>(p0 >> 32) ^ x.v[3] ^ k1, static_cast<std::uint32_t>(p0)}};
      k0 += 0x9E3779B9u;
      k1 += 0xBB67AE85u;
    }
    return x;
  }
  // Uniform in [0, 1) with 24 bits.
  HD static float uniform(std::uint32_t word) { return static_cast<float>(word >> 8) * (1.0f / 16777216.0f); }
};

// A host-side sequence drawn from the counter: value i is a pure function of (seed, stream, i).
class Sequence {
 public:
  explicit Sequence(std::uint64_t seed, std::uint32_t stream = 0, std::uint32_t substream = 0)
      : philox_(seed), stream_(stream), substream_(substream) {}
  std::uint32_t word();
  double uniform() { return word() * (1.0 / 4294967296.0); }  // [0, 1)
  double uniform(double low, double high) { return low + (high - low) * uniform(); }
  i64 below(i64 n);  // 0 … n-1, unbiased
  double normal();   // mean 0, variance 1
  template <class It>
  void shuffle(It begin, It end) {
    for (i64 i = end - begin - 1; i > 0; --i) std::swap(begin[i], begin[below(i + 1)]);
  }

 private:
  Philox philox_;
  std::uint32_t stream_, substream_, next_ = 0;
};

// What a training step's operations draw from. The step number lives on the device, so a captured graph that
// increments it draws new numbers on each replay; `call` tells the operations of one step apart.
struct Random {
  std::uint64_t seed = 1;
  Tensor step;             // i32, one number, on the device of the pass
  std::uint32_t call = 0;  // set to 0 at the start of each step

  Random() = default;
  Random(std::uint64_t seed, Device device);
};

}  // namespace dactyl
