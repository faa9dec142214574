// Which place and which pack of channels a thread of `each` works on. Internal to the kernels.
#pragma once

#include "engine/each.h"

namespace dactyl::fast {

// n / d for 0 ≤ n < 2^31 by a product and a shift: m = ⌈2^(31+s)/d⌉ with 2^s ≥ d errs by less than 1/d.
class Divider {
 public:
  explicit Divider(i64 divisor = 1) : divisor_(static_cast<unsigned>(divisor)) {
    unsigned s = 0;
    while ((std::uint64_t{1} << s) < divisor_) ++s;
    shift_ = 31 + s;
    factor_ = static_cast<unsigned>(((std::uint64_t{1} << shift_) + divisor_ - 1) / divisor_);
  }
  // Leaves the remainder in n and gives the quotient.
  HD unsigned split(unsigned& n) const {
    const auto quotient = static_cast<unsigned>((std::uint64_t{n} * factor_) >> shift_);
    n -= quotient * divisor_;
    return quotient;
  }

 private:
  unsigned divisor_, factor_ = 0, shift_ = 0;
};

struct Spot {
  int n, d, h, w, pack;
};

// Neighbouring threads take up to 8 packs of a place (128 bytes), then the places of a small box: what the windows of a
// box share is read from L2 once and then found in L1.
class Tiles {
 public:
  // `bits`: the binary logarithms of the box's extents.
  Tiles(i64 batch, i64 depth, i64 height, i64 width, i64 packs, int depth_bits, int height_bits, int width_bits)
      : extent_{int(depth), int(height), int(width)}, packs_(int(packs)), bits_{depth_bits, height_bits, width_bits} {
    while (pack_bits_ < 3 && (1 << pack_bits_) < packs) ++pack_bits_;
    boxes_ = batch;
    for (int i = 0; i < 3; ++i) boxes_ *= across_[i] = (extent_[i] + (1 << bits_[i]) - 1) >> bits_[i];
    const i64 groups = (packs + (1 << pack_bits_) - 1) >> pack_bits_;
    boxes_ *= groups;
    divide_[0] = Divider(across_[0]);
    divide_[1] = Divider(across_[1]);
    divide_[2] = Divider(across_[2]);
    divide_[3] = Divider(groups);
  }

  i64 threads() const { return boxes_ << (pack_bits_ + bits_[0] + bits_[1] + bits_[2]); }

  // Thread i's spot; false where a box reaches beyond the extents.
  HD bool find(i64 i, Spot& s) const {
    unsigned inner = static_cast<unsigned>(i), box = inner >> (pack_bits_ + bits_[0] + bits_[1] + bits_[2]);
    s.pack = take(inner, pack_bits_);
    s.w = take(inner, bits_[2]);
    s.h = take(inner, bits_[1]);
    s.d = take(inner, bits_[0]);
    unsigned rest = divide_[3].split(box);
    s.pack += static_cast<int>(box << pack_bits_);
    unsigned next = divide_[2].split(rest);
    s.w += static_cast<int>(rest << bits_[2]);
    rest = divide_[1].split(next);
    s.h += static_cast<int>(next << bits_[1]);
    s.n = static_cast<int>(divide_[0].split(rest));
    s.d += static_cast<int>(rest << bits_[0]);
    return s.pack < packs_ && s.w < extent_[2] && s.h < extent_[1] && s.d < extent_[0];
  }

 private:
  HD static int take(unsigned& n, int bits) {
    const int low = static_cast<int>(n & ((1u << bits) - 1));
    n >>= bits;
    return low;
  }

  int extent_[3], packs_, bits_[3], across_[3], pack_bits_ = 0;
  i64 boxes_;
  Divider divide_[4];
};

}  // namespace dactyl::fast
