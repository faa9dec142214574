// The host-side sequence.
#include "engine/random.h"

#include <cmath>

namespace dactyl {

std::uint32_t Sequence::word() {
  const std::uint32_t i = next_++;
  return philox_(i / 4, stream_, substream_, 0x5eedu).v[i % 4];
}

i64 Sequence::below(i64 n) {
  check(n > 0 && n <= i64{1} << 32, "random: a number below {} was asked for", n);
  const auto bound = static_cast<std::uint64_t>(n);
  const std::uint64_t limit = (std::uint64_t{1} << 32) / bound * bound;  // words past it would favour small numbers
  std::uint64_t w = word();
  while (w >= limit) w = word();
  return static_cast<i64>(w % bound);
}

double Sequence::normal() {
  const double radius = std::sqrt(-2 * std::log(1 - uniform()));
  return radius * std::cos(6.283185307179586 * uniform());
}

Random::Random(std::uint64_t s, Device device) : seed(s), step({1}, DType::i32, device) { step.fill(0); }

}  // namespace dactyl
