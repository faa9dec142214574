// What all rungs of the convolution share: the sizes, and where a tap lies. Internal to the ladder.
#pragma once

#include "benchmarks/ladder/rung.h"
#include "engine/each.h"

namespace dactyl::ladder {

// y[r, o] = Σ over taps and channels of x[r at tap, c] · w[o, tap, c]: 3×3×3, stride 1, one zero around the volume.
// x (batch, depth, height, width, ins), w (outs, 3, 3, 3, ins), y (batch, depth, height, width, outs); ins and outs are
// multiples of 8, so that every row is a row of packs. A row is one place of a volume.
struct Conv3d {
  int batch, depth, height, width, ins, outs;
  const bf16 *x, *w;
  bf16* y;

  static constexpr int taps = 27;
  using Eight = Pack<bf16>;

  HD int rows() const { return batch * depth * height * width; }

  struct Place {
    int d, h, w;
  };
  HD Place place(int row) const { return {row / (width * height) % depth, row / width % height, row % width}; }

  // The row of x under a tap of y's row; −1 on the zeros around the volume.
  HD int under(int row, const Place& at, int tap) const {
    const int d = tap / 9 - 1, h = tap / 3 % 3 - 1, w_ = tap % 3 - 1;
    const bool inside = within(at.d + d, depth) && within(at.h + h, height) && within(at.w + w_, width);
    return inside ? row + (d * height + h) * width + w_ : -1;
  }
  HD static bool within(int i, int extent) { return static_cast<unsigned>(i) < static_cast<unsigned>(extent); }

  HD const bf16* x_at(int row, int channel) const { return x + i64{row} * ins + channel; }
  HD const bf16* w_at(int out, int tap, int channel) const { return w + (i64{out} * taps + tap) * ins + channel; }
  HD bf16* y_at(int row, int out) const { return y + i64{row} * outs + out; }
};

// Tiles of the matrix of results: so many rows, so many channels. Block b takes tile b.
struct Tile {
  int row, out;  // the first
  static i64 count(const Conv3d& c, int rows, int outs) {
    return i64{(c.rows() + rows - 1) / rows} * ((c.outs + outs - 1) / outs);
  }
  HD Tile(const Conv3d& c, int rows, int outs, int block) {
    const int across = (c.outs + outs - 1) / outs;
    row = block / across * rows;
    out = block % across * outs;
  }
};

Rung shared_conv(const Conv3d&, Device);                // rung 3, in conv3d_shared.cu
std::vector<Rung> tensor_convs(const Conv3d&, Device);  // rungs 4 to 6, in conv3d_tensor.cu

}  // namespace dactyl::ladder
