// The tiles that pixels × outputs are cut into, and how a step of a tile lies in shared memory. Internal to the
// kernels.
#pragma once

#include <algorithm>
#include <string>

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

constexpr int most_parts = 8, parted_columns = 64;  // blocks of a cluster, and how wide their tiles are at most
constexpr int implicit_columns[] = {32, 64, 96, 112, 128, 160, 192};

// How many stages the rings of a tile have. A smaller tile is through with each sooner, so more must be on the way.
constexpr int spare_places = 8;  // that a run by rows has beyond the tile's: at least its taps less one
constexpr int run_stages(int blocks) { return blocks == 1 ? 6 : 3; }
constexpr int sums_pitch(int columns) { return columns + 8; }  // four rows, half a warp, lie in different banks
constexpr int sums_bytes(int blocks, int columns) {            // of a cluster's parts, each a row more than its share
  return blocks == 1 && columns <= parted_columns ? (128 + most_parts) * sums_pitch(columns) * 4 : 0;
}
constexpr int filter_stages(int blocks, int columns) {
  const int room = (227 << 10) - 2048 - sums_bytes(blocks, columns);  // beside barriers and what alignment takes
  return std::min(16, (room / (2 * step_channels) - run_stages(blocks) * (128 * blocks + spare_places)) / columns);
}

// What a tile keeps in shared memory: runs of x, 64 channels of each place; and filters, 64 channels of one tap of each
// output. Both are rows of 128 bytes, where 16 bytes of column c lie at column c xor (row mod 8).
template <int blocks, int columns>
struct TileMemory {
  static constexpr int row_bytes = 2 * step_channels, unit_bytes = 2 * unit_channels, places = 128 * blocks;
  static constexpr int run_bytes = (places + spare_places) * row_bytes, filter_bytes = columns * row_bytes;
  static constexpr int runs = run_stages(blocks), filters = filter_stages(blocks, columns);
  static constexpr int sums = runs * run_bytes + filters * filter_bytes;  // where they begin
  static constexpr int bytes = sums + sums_bytes(blocks, columns);

  HD static int brought(const ImplicitShape& s) { return s.shared > 1 ? places + spare_places : places; }
  // From the beginning of a run and of a filter: where an operand's first 16 numbers lie.
  HD static int run_at(int group, int block, int shared_tap, int unit) {
    return ((group * blocks + block) * 64 + shared_tap) * row_bytes + unit * unit_bytes;
  }
  HD static int filter_at(int unit) { return unit * unit_bytes; }
};

}  // namespace dactyl::hopper
