// How a pool of 3×3 with stride 1, or 2 on the way there, is shared out over threads that walk through rows. Internal
// to the kernels.
#pragma once

#include <algorithm>

#include "kernels/divisor.h"
#include "kernels/fast/routed.h"

namespace dactyl::fast {

// A thread's results: rows `first` to `end` of one column of a plane, a pack of channels.
struct Strip {
  int plane, first, end, w, channel;
};

// Neighbouring threads take up to 8 packs of a place (128 bytes), then the columns of a row, so that what windows share
// is read from L2 once and then found in L1.
class Strips {
 public:
  // Of results of this height and width. Columns are cut into chunks, which read two rows more than they write, until
  // there are `enough` threads.
  Strips(i64 planes, i64 height, i64 width, i64 packs, int pack_size, i64 enough)
      : height_(static_cast<int>(height)), chunk_(height_), packs_(static_cast<int>(packs)), pack_size_(pack_size) {
    const i64 together = side_by_side(packs), groups = up(packs, together);
    const i64 per_chunk = planes * width * groups * together;
    while (chunk_ > 2 && up(height, chunk_) * per_chunk < enough) chunk_ = (chunk_ + 1) / 2;
    together_ = Divisor(together);
    across_ = Divisor(width);
    groups_ = Divisor(groups);
    chunks_ = Divisor(up(height, chunk_));
    threads_ = up(height, chunk_) * per_chunk;
  }

  i64 threads() const { return threads_; }

  // Thread i's strip; false where a group of packs reaches beyond the channels.
  HD bool find(unsigned i, Strip& s) const {
    int pack, group, chunk;
    i = together_.split(i, pack);
    i = across_.split(i, s.w);
    i = groups_.split(i, group);
    s.plane = static_cast<int>(chunks_.split(i, chunk));
    s.first = chunk * chunk_;
    s.end = s.first + chunk_ < height_ ? s.first + chunk_ : height_;
    pack += group * static_cast<int>(together_.by);
    s.channel = pack * pack_size_;
    return pack < packs_;
  }

 private:
  // Of 4 to 8 packs the number that leaves the fewest threads of the last group idle.
  static i64 side_by_side(i64 packs) {
    i64 best = std::min<i64>(packs, 8);
    for (i64 n = best; n >= 4; --n)
      if (up(packs, n) * n < up(packs, best) * best) best = n;
    return best;
  }
  static i64 up(i64 n, i64 by) { return (n + by - 1) / by; }

  int height_, chunk_, packs_, pack_size_;
  Divisor together_, across_, groups_, chunks_;
  i64 threads_;
};

// The planes of a tensor by addresses. They are plain numbers, since a walk begins and ends beyond the rows there are.
template <class N>
struct PlaneRows {
  N* first;
  int height, width;
  i64 column, row;  // bytes from one to the next

  PlaneRows(N* from, i64 rows, i64 columns, i64 pitch)
      : first(from),
        height(static_cast<int>(rows)),
        width(static_cast<int>(columns)),
        column(pitch * i64{sizeof(N)}),
        row(column * columns) {}
  // Bit c for each of the columns w, w + step and w + 2 step that there are.
  HD unsigned three_columns(int w, int step) const {
    unsigned bits = 0;
    for (int c = 0; c < 3; ++c)
      bits |= static_cast<unsigned>(static_cast<unsigned>(w + c * step) < static_cast<unsigned>(width)) << c;
    return bits;
  }
  HD std::uintptr_t at(int plane, int h, int w, int channel) const {
    const i64 bytes = (i64{plane} * height + h) * row + w * column + i64{channel} * i64{sizeof(N)};
    return reinterpret_cast<std::uintptr_t>(first) + static_cast<std::uintptr_t>(bytes);
  }
};

// What lies at such an address: 16, 8 or 4 bytes that nobody writes meanwhile.
template <class V>
HD V load_at(std::uintptr_t address) {
#ifdef __CUDA_ARCH__
  using Bits = std::conditional_t<sizeof(V) == 16, uint4, std::conditional_t<sizeof(V) == 8, uint2, unsigned>>;
  return std::bit_cast<V>(__ldg(reinterpret_cast<const Bits*>(address)));
#else
  return read<V>(reinterpret_cast<const void*>(address));
#endif
}

}  // namespace dactyl::fast
