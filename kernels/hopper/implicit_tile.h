// How pixels × outputs are cut into tiles, and how a step of a tile lies in shared memory. Internal to the kernels.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "kernels/hopper/implicit_shape.h"

namespace dactyl::hopper {

// A tile of two warpgroups, each `blocks` blocks of 64 pixels × `columns` outputs.
struct ImplicitTile {
  int blocks, columns;
  HD int pixels() const { return 128 * blocks; }
  bool operator==(const ImplicitTile&) const = default;
};
inline std::string to_text(const ImplicitTile& t) {
  return std::to_string(t.pixels()) + "x" + std::to_string(t.columns);
}

constexpr int implicit_columns[] = {32, 64, 96, 112, 128, 160, 192};

// A stage of the ring in shared memory: 128 bytes of each pixel, then of each output's filter. What is 16 bytes at
// column c of row r lies at column c xor r mod 8.
template <int blocks, int columns>
struct Stage {
  static constexpr int row_bytes = 2 * step_channels, unit_bytes = 2 * unit_channels, pixels = 128 * blocks;
  static constexpr int pixel_bytes = pixels * row_bytes, bytes = pixel_bytes + columns * row_bytes;
  static constexpr int room = (227 << 10) - 2048;  // beside barriers and what alignment takes
  static constexpr int count = room / bytes < 8 ? room / bytes : 8;

  HD static int pixels_at(int group, int block, int unit) {
    return (group * blocks + block) * 64 * row_bytes + unit * unit_bytes;
  }
  HD static int filters_at(int unit) { return pixel_bytes + unit * unit_bytes; }
};

struct TileGrid {
  int across, count;
  TileGrid(const ImplicitShape& s, const ImplicitTile& t)
      : across((s.outs + t.columns - 1) / t.columns), count((s.pixels + t.pixels() - 1) / t.pixels() * across) {}
  HD int first_pixel(int tile, int pixels) const { return tile / across * pixels; }
  HD int first_out(int tile, int columns) const { return tile % across * columns; }
};

// Cycles that a GPU of so many processors should need. The matrix unit takes half a cycle per column of a block and
// unit of the sum; shared memory gives it 128 bytes a cycle, and takes in as many.
inline double predicted_cycles(const ImplicitShape& s, const ImplicitTile& t, int processors) {
  const int units = (s.steps - 1) * 4 + s.last_units;
  const double blocks = 2.0 * t.blocks;
  const double arithmetic = units * blocks * t.columns / 2;
  const double read = units * blocks * (64 + t.columns) * 32 / 128.0, written = s.steps * (64 * blocks + t.columns);
  const double sum = s.taps() * std::max(arithmetic, read + written), rest = 1000 + 4 * t.blocks * t.columns;
  const int rounds = (TileGrid(s, t).count + processors - 1) / processors;
  return rounds * (sum + rest);
}

// All tiles there are kernels for, the one that should be fastest first.
inline std::vector<ImplicitTile> implicit_tiles(const ImplicitShape& s, int processors) {
  std::vector<ImplicitTile> tiles;
  for (const int columns : implicit_columns)
    for (const int blocks : {2, 1}) tiles.push_back({blocks, columns});
  std::stable_sort(tiles.begin(), tiles.end(), [&](const ImplicitTile& a, const ImplicitTile& b) {
    return predicted_cycles(s, a, processors) < predicted_cycles(s, b, processors);
  });
  return tiles;
}

}  // namespace dactyl::hopper
