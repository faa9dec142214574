// A stem as plain numbers, and how its outputs are cut into tiles. Internal to the kernels.
#pragma once

#include "kernels/conv_problem.h"
#include "kernels/divisor.h"

namespace dactyl::hopper {

// The outputs a block works on: of one frame, 28 rows of 16 pixels.
constexpr int tile_rows = 28, tile_columns = 16, outs = 64;

struct Tile {
  int n, d, row, column;  // its first output
};

struct TapRange {
  int first, end;
};

struct StemShape {
  int batch, depth, depth_step;  // taps along the depth and their stride; along height and width 7 and 2
  int in[3], out[3], low[3];
  int numbers;  // of a row of x: width · channels
  int across[2];
  int tiles;
  Divisor by_width, by_height, by_depth;  // of tiles across a picture, of frames

  explicit StemShape(const ConvProblem& p)
      : batch(static_cast<int>(p.batch)),
        depth(static_cast<int>(p.kernel[0])),
        depth_step(static_cast<int>(p.stride[0])),
        numbers(static_cast<int>(p.in[2] * p.ins)) {
    for (std::size_t i = 0; i < 3; ++i) {
      in[i] = static_cast<int>(p.in[i]);
      out[i] = static_cast<int>(p.out[i]);
      low[i] = static_cast<int>(p.low[i]);
    }
    across[0] = (out[1] + tile_rows - 1) / tile_rows;
    across[1] = (out[2] + tile_columns - 1) / tile_columns;
    tiles = batch * out[0] * across[0] * across[1];
    by_width = Divisor(across[1]), by_height = Divisor(across[0]), by_depth = Divisor(out[0]);
  }

  // Without divisions: it is asked in a loop that all wait for.
  HD Tile tile(int i) const {
    int column, row, d;
    const int n = quotient(by_depth, quotient(by_height, quotient(by_width, i, column), row), d);
    return {n, d, row * tile_rows, column * tile_columns};
  }
  HD int frame(const Tile& t, int tap) const { return t.d * depth_step - low[0] + tap; }  // of x; may be outside
  HD bool has_frame(int d) const { return d >= 0 && d < in[0]; }
  // The taps along the depth that see frames; where none does, one that sees zeros.
  HD TapRange taps(const Tile& t) const {
    const int d = frame(t, 0), first = d < 0 ? -d : 0, end = in[0] - d < depth ? in[0] - d : depth;
    return first < end ? TapRange{first, end} : TapRange{0, 1};
  }
  HD i64 pixel(const Tile& t, int row, int column) const {  // of y
    return ((i64{t.n} * out[0] + t.d) * out[1] + t.row + row) * out[2] + t.column + column;
  }
};

// The slabs (a tile, a tap along the depth) that a block works on, in order: tile by tile.
class TileWalk {
 public:
  HD TileWalk(const StemShape& s, int first, int step) : s_(s), i_(first), step_(step) { enter(); }
  HD bool more() const { return i_ < s_.tiles; }
  HD bool begins() const { return tap == range_.first; }
  HD bool ends() const { return tap + 1 == range_.end; }
  HD void next() {
    if (++tap < range_.end) return;
    i_ += step_;
    enter();
  }
  Tile tile{};
  int tap = 0;

 private:
  HD void enter() {
    if (!more()) return;
    tile = s_.tile(i_);
    range_ = s_.taps(tile);
    tap = range_.first;
  }

  const StemShape& s_;
  int i_, step_;
  TapRange range_{};
};

// Of the tiles from `first` on in steps, those whose frame for one tap exists.
class TapWalk {
 public:
  HD TapWalk(const StemShape& s, int of_tap, int first, int step) : tap(of_tap), s_(s), i_(first), step_(step) {
    enter();
  }
  HD bool more() const { return i_ < s_.tiles; }
  HD void next() {
    i_ += step_;
    enter();
  }
  Tile tile{};
  const int tap;

 private:
  HD void enter() {
    for (; more(); i_ += step_) {
      tile = s_.tile(i_);
      if (s_.has_frame(s_.frame(tile, tap))) return;
    }
  }

  const StemShape& s_;
  int i_, step_;
};

}  // namespace dactyl::hopper
