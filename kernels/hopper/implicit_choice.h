// Which tiles should be fastest. Internal to the kernels.
#pragma once

#include <vector>

#include "kernels/hopper/implicit_grid.h"

namespace dactyl::hopper {

// Cycles that a GPU of so many processors should need. The matrix unit takes half a cycle per column of a block and
// unit of the sum; shared memory gives it 128 bytes a cycle, and takes in as many; the second-level cache gives 26
// where all processors ask, 64 where few do, each copy 1000 cycles after it was asked for, as many at a time as a ring
// has stages.
inline double predicted_cycles(const ImplicitShape& s, const ImplicitTile& t, int processors) {
  const double blocks = 2.0 * t.blocks, units = (s.steps - 1) * 4 + s.last_units;
  const double arithmetic = units * blocks * t.columns / 2;
  const double read = units * blocks * (64 + t.columns) * 32 / 128;
  const TileGrid grid(s, t);
  const int count = grid.count, rounds = (count + processors - 1) / processors;
  const bool stay = grid.filters_stay(s, std::min(count, processors));
  const double brought = s.steps * (64 * blocks / s.shared + (stay ? 0 : t.columns));  // by 128 bytes
  const double fetched = brought * 128 * s.ins / (s.steps * step_channels);  // what is beyond the channels is not
  const double rate = std::min(64.0, 26.0 * processors / std::min(count, processors));
  const double late = s.steps * 1000.0 / std::min(run_stages(t.blocks) * s.shared, filter_stages(t.blocks, t.columns));
  const double sum = s.taps() * std::max({arithmetic, read + brought, fetched / rate, late});
  const double parted = t.parts == 1 ? 0 : 1500 + 128.0 * t.columns * 4 / 32;  // 32 bytes a cycle to other blocks
  return rounds * (sum / t.parts + 1000 + 4 * t.blocks * t.columns) + parted;
}

// Into how many parts small tiles go: as many as all can have at once. A cluster lies within one of the GPU's groups of
// processors (GPC), taken to be of 16: then 8 groups hold 16 clusters of 8 blocks or 24 of 5.
inline int implicit_parts(const ImplicitShape& s, const ImplicitTile& t, int processors) {
  constexpr int group = 16;
  const int tiles = TileGrid(s, t).count, most = std::min(most_parts, s.least_steps());
  for (int parts = most; parts > 1; --parts)
    if (processors / group * (group / parts) >= tiles) return parts;
  return 1;
}

// All tiles there are kernels for, the one that should be fastest first.
inline std::vector<ImplicitTile> implicit_tiles(const ConvProblem& p, int processors) {
  std::vector<std::pair<double, ImplicitTile>> tiles;
  for (const int columns : implicit_columns)
    for (const int blocks : {2, 1})
      for (const bool rows : {true, false}) {
        if (rows && p.kernel[2] == 1) continue;
        const ImplicitShape s(p, rows);
        ImplicitTile tile{blocks, columns, rows};
        tiles.emplace_back(predicted_cycles(s, tile, processors), tile);
        tile.parts = blocks == 1 && columns <= parted_columns ? implicit_parts(s, tile, processors) : 1;
        if (tile.parts > 1) tiles.emplace_back(predicted_cycles(s, tile, processors), tile);
      }
  std::stable_sort(tiles.begin(), tiles.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<ImplicitTile> sorted;
  for (const auto& [cycles, tile] : tiles) sorted.push_back(tile);
  return sorted;
}

}  // namespace dactyl::hopper
