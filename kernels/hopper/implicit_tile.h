// How pixels × outputs are cut into tiles, and how a step of a tile lies in shared memory. Internal to the kernels.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "kernels/hopper/implicit_shape.h"

namespace dactyl::hopper {

// A tile of two warpgroups, each `blocks` blocks of 64 places × `columns` outputs; by rows or not (ImplicitShape).
struct ImplicitTile {
  int blocks, columns;
  bool rows;
  HD int places() const { return 128 * blocks; }
  bool operator==(const ImplicitTile&) const = default;
};
inline std::string to_text(const ImplicitTile& t) {
  return std::to_string(t.places()) + "x" + std::to_string(t.columns) + (t.rows ? " by rows" : "");
}

constexpr int implicit_columns[] = {32, 64, 96, 112, 128, 160, 192};

// What a tile keeps in shared memory: runs of x, 64 channels of each place; and filters, 64 channels of one tap of each
// output. Both are rows of 128 bytes, where 16 bytes of column c lie at column c xor (row mod 8).
template <int blocks, int columns>
struct TileMemory {
  static constexpr int row_bytes = 2 * step_channels, unit_bytes = 2 * unit_channels, places = 128 * blocks;
  static constexpr int spare = 8;  // places that a run by rows has beyond the tile's: at least its taps less one
  static constexpr int run_bytes = (places + spare) * row_bytes, filter_bytes = columns * row_bytes;
  static constexpr int room = (227 << 10) - 2048;  // beside barriers and what alignment takes
  static constexpr int runs = 3, fitting = (room - runs * run_bytes) / filter_bytes;
  static constexpr int filters = fitting < 8 ? fitting : 8;
  static constexpr int bytes = runs * run_bytes + filters * filter_bytes;

  HD static int brought(const ImplicitShape& s) { return s.shared > 1 ? places + spare : places; }
  // From the beginning of a run and of a filter: where an operand's first 16 numbers lie.
  HD static int run_at(int group, int block, int shared_tap, int unit) {
    return ((group * blocks + block) * 64 + shared_tap) * row_bytes + unit * unit_bytes;
  }
  HD static int filter_at(int unit) { return unit * unit_bytes; }
};

struct TileGrid {
  int across, count;
  TileGrid(const ImplicitShape& s, const ImplicitTile& t)
      : across((s.outs + t.columns - 1) / t.columns), count((s.places + t.places() - 1) / t.places() * across) {}
  HD int first_place(int tile, int places) const { return tile / across * places; }
  HD int first_out(int tile, int columns) const { return tile % across * columns; }
};

// Cycles that a GPU of so many processors should need. The matrix unit takes half a cycle per column of a block and
// unit of the sum; shared memory gives it 128 bytes a cycle, and takes in as many; the second-level cache gives 26.
inline double predicted_cycles(const ImplicitShape& s, const ImplicitTile& t, int processors) {
  const double blocks = 2.0 * t.blocks, units = (s.steps - 1) * 4 + s.last_units;
  const double arithmetic = units * blocks * t.columns / 2;
  const double read = units * blocks * (64 + t.columns) * 32 / 128;
  const double brought = s.steps * (64 * blocks / s.shared + t.columns);     // by 128 bytes
  const double fetched = brought * 128 * s.ins / (s.steps * step_channels);  // what is beyond the channels is not
  const double sum = s.taps() * std::max({arithmetic, read + brought, fetched / 26});
  const int rounds = (TileGrid(s, t).count + processors - 1) / processors;
  return rounds * (sum + 1000 + 4 * t.blocks * t.columns);
}

// All tiles there are kernels for, the one that should be fastest first.
inline std::vector<ImplicitTile> implicit_tiles(const ConvProblem& p, int processors) {
  std::vector<std::pair<double, ImplicitTile>> tiles;
  for (const int columns : implicit_columns)
    for (const int blocks : {2, 1})
      for (const bool rows : {true, false}) {
        if (rows && p.kernel[2] == 1) continue;
        const ImplicitTile tile{blocks, columns, rows};
        tiles.emplace_back(predicted_cycles(ImplicitShape(p, rows), tile, processors), tile);
      }
  std::stable_sort(tiles.begin(), tiles.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<ImplicitTile> sorted;
  for (const auto& [cycles, tile] : tiles) sorted.push_back(tile);
  return sorted;
}

}  // namespace dactyl::hopper
