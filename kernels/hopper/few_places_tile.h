// The tiles that few places × outputs are cut into, which block has which, and how long that should take. Internal to
// the kernels.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "kernels/hopper/few_places_shape.h"

namespace dactyl::hopper {

// 64 places × `columns` outputs of a group. In several parts, the steps of a tile's sums are shared out over a cluster.
struct FewPlacesTile {
  int columns, parts;
  bool operator==(const FewPlacesTile&) const = default;
};
inline std::string to_text(const FewPlacesTile& t) {
  return "few places " + std::to_string(tile_places) + "x" + std::to_string(t.columns) +
         (t.parts > 1 ? " in " + std::to_string(t.parts) + " parts" : "");
}

constexpr int few_places_columns[] = {32, 64};
constexpr int few_places_parts = 8;  // blocks of a cluster at most

// What one block does: steps first to end of a tile.
struct FewPlacesWork {
  int place, group, out, part, first, end;  // the tile's first place; its first output, of the group's
};

struct FewPlacesGrid {
  int steps, parts, columns, tiles;
  Divisor by_parts, by_across, by_group;  // tiles side by side; of one group

  FewPlacesGrid(const FewPlacesShape& s, const FewPlacesTile& t)
      : steps(s.steps()), parts(t.parts), columns(t.columns), by_parts(t.parts) {
    const int of_group = (s.outs + columns - 1) / columns;
    tiles = (s.places + tile_places - 1) / tile_places * s.groups * of_group;
    by_across = Divisor(s.groups * of_group), by_group = Divisor(of_group);
  }
  HD int edge(int part) const { return quotient(by_parts, steps * part); }
  HD FewPlacesWork work(int block) const {
    FewPlacesWork w;
    int across, tile;
    const int row = quotient(by_across, quotient(by_parts, block, w.part), across);
    w.place = row * tile_places;
    w.group = quotient(by_group, across, tile);
    w.out = tile * columns;
    w.first = edge(w.part), w.end = edge(w.part + 1);
    return w;
  }
};

// What a block keeps in shared memory: stages of 64 rows of x and `columns` rows of w, 128 bytes each, whose 16 bytes
// of column c lie at column c xor (row mod 8); then the sums of its places, two of each part, which halve every step.
template <int columns>
struct FewPlacesMemory {
  static constexpr int stages = 6, row_bytes = 16 * step_packs, x_bytes = tile_places * row_bytes;
  static constexpr int stage_bytes = x_bytes + columns * row_bytes, sums = stages * stage_bytes;
  static constexpr int sums_pitch = columns + 8;  // four rows, half a warp, lie in different banks
  static constexpr int bytes = sums + 2 * (tile_places + few_places_parts) * sums_pitch * 4;  // a row more than a share
  HD static int at(int row, int column) { return row * row_bytes + ((column ^ (row & 7)) << 4); }
};

// Cycles that a GPU of so many processors should need: 16 products of a warp wait for each other and for their
// operands, a step's rows come from the second-level cache, the parts of a tile for each other.
inline double predicted_cycles(const FewPlacesShape& s, const FewPlacesTile& t, int processors) {
  const FewPlacesGrid grid(s, t);
  const int rounds = (grid.tiles * t.parts + processors - 1) / processors, steps = (grid.steps + t.parts - 1) / t.parts;
  const double step = std::max(130.0 + 2.2 * t.columns, (tile_places + t.columns) * 128 / 50.0);
  return rounds * (1500 + steps * step) + (t.parts > 1 ? 900 : 0);
}

// All tiles there are kernels for, the one that should be fastest first.
inline std::vector<FewPlacesTile> few_places_tiles(const FewPlacesShape& s, int processors) {
  std::vector<FewPlacesTile> tiles;
  for (const int columns : few_places_columns)
    for (int parts = 1; parts <= std::min(few_places_parts, s.steps()); ++parts) tiles.push_back({columns, parts});
  std::stable_sort(tiles.begin(), tiles.end(), [&](const FewPlacesTile& a, const FewPlacesTile& b) {
    return predicted_cycles(s, a, processors) < predicted_cycles(s, b, processors);
  });
  return tiles;
}

}  // namespace dactyl::hopper
