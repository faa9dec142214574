// How the way back of a 3×3×3 pool is shared out over warps, and where sums lie in their memory. Internal to the
// kernels.
#pragma once

#include <algorithm>

#include "kernels/divisor.h"
#include "kernels/geometry.h"

namespace dactyl::fast {

// A warp has 7×7 inputs of a plane and 64 channels, and walks down through a chunk of planes.
struct ScatterGrid {
  static constexpr int tile = 7, reach = tile + 2, channels = 64, most_warps = 6;  // six fill shared memory
  // Sums of three planes, one of which is complete after each plane of windows, and what lies outside of the tile.
  static constexpr int spare = 3, outside = 3 * tile * tile, cells = outside + spare;
  static constexpr int cell_bytes = channels * 4, warp_bytes = cells * cell_bytes;

  int chunk, depth, warps, units;
  Divisor groups, across, down, chunks;

  // Cuts chunks, which meet two planes of windows more than they have inputs, until there are `enough` warps.
  explicit ScatterGrid(const Geometry& g, i64 enough = 132 * 4) : depth(static_cast<int>(g.in[0])) {
    const i64 per_chunk = g.batch * up(g.in[1], tile) * up(g.in[2], tile) * up(g.channels, channels);
    chunk = depth;
    while (chunk > 2 && up(depth, chunk) * per_chunk < enough) chunk = static_cast<int>(up(chunk, 2));
    units = static_cast<int>(up(depth, chunk) * per_chunk);
    warps = std::clamp(units / 132, 1, most_warps);
    groups = Divisor(up(g.channels, channels));
    across = Divisor(up(g.in[2], tile));
    down = Divisor(up(g.in[1], tile));
    chunks = Divisor(up(depth, chunk));
  }
  int threads() const { return warps * 32; }
  i64 blocks() const { return up(units, warps); }
  i64 bytes() const { return i64{warps} * warp_bytes; }

  // In bytes, less `column` cells: the sum to which tap `tap` leads from the window that begins in the tile's row q and
  // column `column`, in plane j of the walk. Outside of the tile, and for what is no tap, a place that nobody reads.
  HD static int place(int tap, int j, int q, int column) {
    const int a = tap / 9, row = q + tap / 3 % 3, c = tap % 3;
    const bool inside = tap < 27 && static_cast<unsigned>(row) < tile && static_cast<unsigned>(column + c) < tile;
    return (inside ? ((j + 2 - a) % 3 * tile + row) * tile + c : outside - column) * cell_bytes;
  }

 private:
  static i64 up(i64 n, i64 by) { return (n + by - 1) / by; }
};

// A warp's part.
struct ScatterSpot {
  int n, first, end, h, w, channel;

  HD ScatterSpot(const ScatterGrid& g, unsigned unit) {
    int group, across, down, chunk;
    unit = g.groups.split(unit, group);
    unit = g.across.split(unit, across);
    unit = g.down.split(unit, down);
    n = static_cast<int>(g.chunks.split(unit, chunk));
    first = chunk * g.chunk;
    end = first + g.chunk < g.depth ? first + g.chunk : g.depth;
    h = down * ScatterGrid::tile;
    w = across * ScatterGrid::tile;
    channel = group * ScatterGrid::channels;
  }
};

}  // namespace dactyl::fast
