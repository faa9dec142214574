// Rows of packs shared out over a GPU's blocks. A block takes a group of up to 4 neighbouring packs and a slice of the
// rows; a thread walks down the rows of one pack, four at a time. All of it depends on the shape alone.
#pragma once

#include <algorithm>

#include "engine/dtype.h"

namespace dactyl::fast {

struct Slices {
  static constexpr int threads = 256;    // of a block
  static constexpr int most_across = 4;  // packs of a group: as many as block_sums.h has threads for
  static constexpr int wave = 2 * 132;   // blocks that such a GPU runs at once, at least

  int rows, packs, across, count, length;  // across: packs of a group, a power of two, so that warps fold evenly

  // Groups are narrow where there are few channels: then each has fewer slices, whose sums all its blocks add up.
  Slices(i64 all_rows, i64 all_packs) : rows(static_cast<int>(all_rows)), packs(static_cast<int>(all_packs)) {
    const bool large = all_rows * all_packs > i64{1} << 21;  // 32 MiB
    across = packs == 1 ? 1 : packs <= 2 || (packs < 16 && !large) ? 2 : most_across;
    share_out(groups(), rows);
  }

  // Slices for a launch of so many groups, ours among them, and at most so many.
  void share_out(int all_groups, int most) {
    const int least = std::max(1, wave / all_groups);
    const int wanted = least * std::clamp(rows / (32 * down() * least), 1, 4);  // whole waves: the last has no gaps
    const int slices = std::max(1, std::min({wanted, rows / (4 * down()), most}));
    length = (rows + slices - 1) / slices;
    count = (rows + length - 1) / length;  // none of them empty
  }

  HD int groups() const { return (packs + across - 1) / across; }
  HD int down() const { return threads / across; }  // rows of a block's first step
};

// What one thread does: rows row, row + step, … below `end`, of one pack.
struct SlicePart {
  int pack, first_row, row, end, step;
  bool any;

  HD SlicePart(const Slices& s, int group, int slice, int thread)
      : pack(group * s.across + thread % s.across), first_row(slice * s.length), step(s.down()) {
    row = first_row + thread / s.across;
    end = first_row + s.length < s.rows ? first_row + s.length : s.rows;
    any = pack < s.packs && row < end;
  }
};

// use(row, load(row)); four rows are read before the first is used.
template <class Load, class Use>
HD void walk(int row, int end, int step, const Load& load, const Use& use) {
  for (; row + 3 * step < end; row += 4 * step) {
    const decltype(load(row)) four[4] = {load(row), load(row + step), load(row + 2 * step), load(row + 3 * step)};
    for (int i = 0; i < 4; ++i) use(row + i * step, four[i]);
  }
  for (; row < end; row += step) use(row, load(row));
}

}  // namespace dactyl::fast
