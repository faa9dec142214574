// How a 3×3×3 pool with stride 1 is shared out over blocks that keep planes in shared memory. Either direction: results
// that come `from` planes, three by three. Internal to the kernels.
#pragma once

#include "kernels/fast/sides.h"

namespace dactyl::fast {

// Results of one block: a tile of a plane, 8 packs of channels, and `chunk` planes one after another. A thread has two
// of the tile's rows.
struct PoolGrid {
  // Rows of threads; planes in shared memory: one is used while two are on their way.
  static constexpr int packs = 8, most_rows = 7, slots = 3;

  int from[3], to[3], low[3];  // the first of three places that result i comes from is i − low
  int all_packs, wide, rows, chunk;
  Divisor groups, across, down, chunks;
  i64 all_blocks;

  // Results y, from planes of x; and results dx, from planes of dy. Walks are cut into chunks, which read two planes
  // more than they write, until there are `enough` blocks.
  static PoolGrid forward(const Geometry& g, int pack_size, i64 enough = 132 * 2) {
    return PoolGrid(g, g.in, g.out, g.low, pack_size, enough);
  }
  static PoolGrid backward(const Geometry& g, int pack_size, i64 enough = 132 * 2) {
    return PoolGrid(g, g.out, g.in, {2 - g.low[0], 2 - g.low[1], 2 - g.low[2]}, pack_size, enough);
  }

  HD int places() const { return (2 * rows + 2) * (wide + 2); }
  HD int threads() const { return rows * wide * packs; }
  i64 blocks() const { return all_blocks; }
  i64 bytes(int per_pack) const { return i64{slots} * places() * packs * per_pack; }
  static i64 most_bytes(int per_pack) { return i64{slots} * (2 * most_rows + 2) * 10 * packs * per_pack; }

 private:
  PoolGrid(const Geometry& g, const i64 (&from_extent)[3], const i64 (&to_extent)[3], const i64 (&first)[3],
           int pack_size, i64 enough)
      : all_packs(static_cast<int>(g.channels) / pack_size) {
    const auto narrow = [](i64 n) { return static_cast<int>(n); };
    std::transform(from_extent, from_extent + 3, from, narrow);
    std::transform(to_extent, to_extent + 3, to, narrow);
    std::transform(first, first + 3, low, narrow);
    const auto unused = [this](int width) { return up(to[2], width) * width - to[2]; };
    wide = unused(8) < unused(7) ? 8 : 7;
    const int pairs = up(to[1], 2);
    rows = std::max(2, up(pairs, up(pairs, most_rows)));  // two, so that a thread copies at most four places
    const i64 per_chunk = g.batch * up(pairs, rows) * up(to[2], wide) * up(all_packs, packs);
    chunk = to[0];
    while (chunk > 2 && up(to[0], chunk) * per_chunk < enough) chunk = up(chunk, 2);
    groups = Divisor(up(all_packs, packs));
    across = Divisor(up(to[2], wide));
    down = Divisor(up(pairs, rows));
    chunks = Divisor(up(to[0], chunk));
    all_blocks = per_chunk * up(to[0], chunk);
  }
  static int up(int n, int by) { return (n + by - 1) / by; }
};

// Where a thread of a block stands.
struct PoolSpot {
  int n, first, end;      // clip; planes of results
  int row, column, pack;  // in the tile: of its first result
  int h, w, all_pack;     // in the plane

  template <int wide>
  HD static PoolSpot of(const PoolGrid& g, unsigned block, int thread, std::integral_constant<int, wide>) {
    PoolSpot s;
    int group, across, down, chunk;
    block = g.groups.split(block, group);
    block = g.across.split(block, across);
    block = g.down.split(block, down);
    s.n = static_cast<int>(g.chunks.split(block, chunk));
    s.first = chunk * g.chunk;
    s.end = s.first + g.chunk < g.to[0] ? s.first + g.chunk : g.to[0];
    s.pack = thread % PoolGrid::packs;
    s.column = thread / PoolGrid::packs % wide;
    s.row = thread / (PoolGrid::packs * wide) * 2;
    s.h = down * g.rows * 2 + s.row;
    s.w = across * wide + s.column;
    s.all_pack = group * PoolGrid::packs + s.pack;
    return s;
  }
};

// The places of a plane that a thread brings to shared memory: one in `step`, of its own pack.
struct PoolShare {
  static constexpr int most = 4;
  int at, step;     // the first, and how far the next is, in packs of shared memory
  int place[most];  // in the plane; outside: to be cleared once; none: not in the tile
  static constexpr int outside = -1, none = -2;

  template <int wide>
  HD static PoolShare of(const PoolGrid& g, const PoolSpot& s, int thread, std::integral_constant<int, wide>) {
    PoolShare share;
    share.at = thread;
    share.step = g.threads();
    for (int k = 0; k < most; ++k) {
      const int q = (thread + k * share.step) / PoolGrid::packs;
      const int h = s.h - s.row - g.low[1] + q / (wide + 2), w = s.w - s.column - g.low[2] + q % (wide + 2);
      const bool there = static_cast<unsigned>(h) < static_cast<unsigned>(g.from[1]) &&
                         static_cast<unsigned>(w) < static_cast<unsigned>(g.from[2]) && s.all_pack < g.all_packs;
      share.place[k] = q >= g.places() ? none : there ? h * g.from[2] + w : outside;
    }
    return share;
  }
  // f(pack of shared memory, place of the plane) for those inside or those outside.
  template <class F>
  HD void each_inside(const F& f) const {
    for (int k = 0; k < most; ++k)
      if (place[k] >= 0) f(at + k * step, place[k]);
  }
  template <class F>
  HD void each_outside(const F& f) const {
    for (int k = 0; k < most; ++k)
      if (place[k] == outside) f(at + k * step);
  }
};

}  // namespace dactyl::fast
