// Which place and which pack of channels a thread of `each` works on. Internal to the kernels.
#pragma once

#include "engine/each.h"
#include "kernels/divisor.h"

namespace dactyl::fast {

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
    const i64 across[] = {up(extent_[0], bits_[0]), up(extent_[1], bits_[1]), up(extent_[2], bits_[2]),
                          up(packs, pack_bits_)};
    for (int i = 0; i < 4; ++i) {
      boxes_ *= across[i];
      divide_[i] = Divisor(across[i]);
    }
  }

  i64 threads() const { return boxes_ << (pack_bits_ + bits_[0] + bits_[1] + bits_[2]); }

  // Thread i's spot; false where a box reaches beyond the extents.
  HD bool find(i64 i, Spot& s) const {
    unsigned inner = static_cast<unsigned>(i), box = inner >> (pack_bits_ + bits_[0] + bits_[1] + bits_[2]);
    s.pack = take(inner, pack_bits_);
    s.w = take(inner, bits_[2]);
    s.h = take(inner, bits_[1]);
    s.d = take(inner, bits_[0]);
    int group, w, h, d;
    box = divide_[3].split(box, group);
    box = divide_[2].split(box, w);
    box = divide_[1].split(box, h);
    s.n = static_cast<int>(divide_[0].split(box, d));
    s.pack += group << pack_bits_;
    s.w += w << bits_[2];
    s.h += h << bits_[1];
    s.d += d << bits_[0];
    return s.pack < packs_ && s.w < extent_[2] && s.h < extent_[1] && s.d < extent_[0];
  }

 private:
  static i64 up(i64 n, int bits) { return (n + (i64{1} << bits) - 1) >> bits; }  // n / 2^bits, rounded up
  HD static int take(unsigned& n, int bits) {
    const int low = static_cast<int>(n & ((1u << bits) - 1));
    n >>= bits;
    return low;
  }

  int extent_[3], packs_, bits_[3], pack_bits_ = 0;
  i64 boxes_;
  Divisor divide_[4];  // by boxes along depth, height and width; by groups of packs
};

}  // namespace dactyl::fast
