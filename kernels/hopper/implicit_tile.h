// How pixels × outputs are cut into tiles, and how a step of a tile lies in shared memory. Internal to the kernels.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "kernels/hopper/implicit_shape.h"

namespace dactyl::hopper {

// A tile of two warpgroups, each `blocks` blocks of 64 places × `columns` outputs; by rows or not (ImplicitShape). In
// several parts, a tile's sums are shared by the blocks of a cluster, which add them up in order.
struct ImplicitTile {
  int blocks, columns;
  bool rows;
  int parts = 1;  // 1 of larger tiles
  HD int places() const { return 128 * blocks; }
  bool operator==(const ImplicitTile&) const = default;
};
inline std::string to_text(const ImplicitTile& t) {
  return std::to_string(t.places()) + "x" + std::to_string(t.columns) + (t.rows ? " by rows" : "") +
         (t.parts > 1 ? " in " + std::to_string(t.parts) + " parts" : "");
}

constexpr int most_parts = 8;  // blocks of a cluster
constexpr int implicit_columns[] = {32, 64, 96, 112, 128, 160, 192};

// How many stages the rings of a tile have. A smaller tile is through with each sooner, so more must be on the way.
constexpr int spare_places = 8;  // that a run by rows has beyond the tile's: at least its taps less one
constexpr int run_stages(int blocks) { return blocks == 1 ? 6 : 3; }
constexpr int filter_stages(int blocks, int columns) {
  constexpr int room = (227 << 10) - 2048;  // beside barriers and what alignment takes
  return std::min(16, (room / (2 * step_channels) - run_stages(blocks) * (128 * blocks + spare_places)) / columns);
}

// What a tile keeps in shared memory: runs of x, 64 channels of each place; and filters, 64 channels of one tap of each
// output. Both are rows of 128 bytes, where 16 bytes of column c lie at column c xor (row mod 8).
template <int blocks, int columns>
struct TileMemory {
  static constexpr int row_bytes = 2 * step_channels, unit_bytes = 2 * unit_channels, places = 128 * blocks;
  static constexpr int run_bytes = (places + spare_places) * row_bytes, filter_bytes = columns * row_bytes;
  static constexpr int runs = run_stages(blocks), filters = filter_stages(blocks, columns);
  static constexpr int bytes = runs * run_bytes + filters * filter_bytes;

  HD static int brought(const ImplicitShape& s) { return s.shared > 1 ? places + spare_places : places; }
  // From the beginning of a run and of a filter: where an operand's first 16 numbers lie.
  HD static int run_at(int group, int block, int shared_tap, int unit) {
    return ((group * blocks + block) * 64 + shared_tap) * row_bytes + unit * unit_bytes;
  }
  HD static int filter_at(int unit) { return unit * unit_bytes; }
};

// The tiles in order: of the same places one after the other, group by group.
struct TileGrid {
  int parts, across, groups, count;  // `across` tiles hold a group's outputs
  TileGrid(const ImplicitShape& s, const ImplicitTile& t)
      : parts(t.parts),
        across((s.outs + t.columns - 1) / t.columns),
        groups(s.groups),
        count((s.places + t.places() - 1) / t.places() * groups * across * parts) {}
  HD int first_place(int tile, int places) const { return tile / (parts * across * groups) * places; }
  HD int group(int tile) const { return tile / (parts * across) % groups; }
  HD int first_out(int tile, int columns) const { return tile / parts % across * columns; }  // of its group
  HD int part(int tile) const { return tile % parts; }
};

// Cycles that a GPU of so many processors should need. The matrix unit takes half a cycle per column of a block and
// unit of the sum; shared memory gives it 128 bytes a cycle, and takes in as many; the second-level cache gives 26
// where all processors ask, 64 where few do, each copy 1000 cycles after it was asked for, as many at a time as a ring
// has stages.
inline double predicted_cycles(const ImplicitShape& s, const ImplicitTile& t, int processors) {
  const double blocks = 2.0 * t.blocks, units = (s.steps - 1) * 4 + s.last_units;
  const double arithmetic = units * blocks * t.columns / 2;
  const double read = units * blocks * (64 + t.columns) * 32 / 128;
  const double brought = s.steps * (64 * blocks / s.shared + t.columns);     // by 128 bytes
  const double fetched = brought * 128 * s.ins / (s.steps * step_channels);  // what is beyond the channels is not
  const int count = TileGrid(s, t).count, rounds = (count + processors - 1) / processors;
  const double rate = std::min(64.0, 26.0 * processors / std::min(count, processors));
  const double late = s.steps * 1000.0 / std::min(run_stages(t.blocks) * s.shared, filter_stages(t.blocks, t.columns));
  const double sum = s.taps() * std::max({arithmetic, read + brought, fetched / rate, late});
  const double parted = t.parts == 1 ? 0 : 1500 + 128.0 * t.columns * 4 / 32;  // of 32 bytes a cycle from other blocks
  return rounds * (sum / t.parts + 1000 + 4 * t.blocks * t.columns) + parted;
}

// Into how many parts small tiles go: as many as all can have at once. A cluster lies within one of the GPU's groups
// of at least 16 processors (GPC), so 8 such groups hold 16 clusters of 8 blocks or 24 of 5.
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
        tile.parts = blocks == 1 ? implicit_parts(s, tile, processors) : 1;
        if (tile.parts > 1) tiles.emplace_back(predicted_cycles(s, tile, processors), tile);
      }
  std::stable_sort(tiles.begin(), tiles.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<ImplicitTile> sorted;
  for (const auto& [cycles, tile] : tiles) sorted.push_back(tile);
  return sorted;
}

}  // namespace dactyl::hopper
