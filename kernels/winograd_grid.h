// How minimal filtering cuts a convolution into tiles, and tiles into blocks. Internal to the kernels.
#pragma once

#include <algorithm>

#include "kernels/geometry.h"
#include "kernels/product.h"
#include "kernels/winograd_rows.h"

namespace dactyl {

// Side × side pixels of every tile of a tensor, which begin `before` the tile's first output; `outside` stands for
// those that are not there.
template <class T>
struct PixelsOf {
  T* base;
  i64 pitch;
  const i64 (&extent)[3];
  const i64 (&before)[3];
  int side;
  T* outside;
};

// Tiles are numbered over (sample, down, across); each has all depths. Transformed, a block of tiles is in·in matrices
// of rows (depth, tile), so that a tap in depth is a step of as many rows as the block has tiles.
struct WinogradGrid {
  Geometry g;
  Points points;
  i64 in, out;  // channels of one group
  i64 high, wide;

  WinogradGrid(const Geometry& geometry, Points p, i64 channels_in, i64 channels_out)
      : g(geometry),
        points(p),
        in(channels_in),
        out(channels_out),
        high((g.out[1] + outputs_of(p) - 1) / outputs_of(p)),
        wide((g.out[2] + outputs_of(p) - 1) / outputs_of(p)) {}

  i64 tiles() const { return g.batch * high * wide; }
  i64 taps() const { return i64{taps_of(points)} * taps_of(points); }  // without those in depth
  i64 planes() const { return i64{inputs_of(points)} * inputs_of(points); }
  i64 depths_in() const { return g.out[0] + g.kernel[0] - 1; }  // slices that windows read, padding included
  i64 row_in() const { return in_lanes(in); }
  i64 row_out() const { return in_lanes(out); }
  i64 steps() const { return g.kernel[0] * in; }  // products of a sum
  i64 plane_filters() const { return steps() * row_out() + lanes; }
  i64 filter_numbers() const { return planes() * plane_filters(); }

  // Tiles of a block: its planes should stay in the last cache, and the filters be passed over few times.
  i64 block() const {
    constexpr i64 numbers = i64{1} << 20;
    return even(numbers / (planes() * (depths_in() * row_in() + g.out[0] * row_out())));
  }
  // The same where every block passes over sums as large as the filters: these should be worth their way.
  i64 long_block() const {
    constexpr i64 rows = 512;
    return std::max(block(), even(rows / g.out[0]));
  }
  // Blocks of nearly the same size, of about so many tiles.
  i64 even(i64 most) const {
    const i64 blocks = (tiles() + std::max<i64>(1, most) - 1) / std::max<i64>(1, most);
    return (tiles() + blocks - 1) / blocks;
  }

  // The addresses of a tile's pixels in slice d.
  template <class T>
  void pixels(const PixelsOf<T>& from, i64 tile, i64 d, T** to) const {
    const auto& [base, pitch, extent, before, side, outside] = from;
    const i64 n = tile / (high * wide), step = outputs_of(points);
    const i64 h = tile / wide % high * step - before[1], w = tile % wide * step - before[2];
    for (i64 i = h; i < h + side; ++i)
      for (i64 j = w; j < w + side; ++j) {
        const bool there = d >= 0 && d < extent[0] && i >= 0 && i < extent[1] && j >= 0 && j < extent[2];
        *to++ = there ? base + (((n * extent[0] + d) * extent[1] + i) * extent[2] + j) * pitch : outside;
      }
  }
};

// Tiles that are in work together. A few numbers more than the rows take keep planes from all beginning in the same
// set of a cache.
struct WinogradBlock {
  const WinogradGrid& grid;
  i64 first, count;

  i64 plane_in() const { return count * grid.depths_in() * grid.row_in() + lanes; }
  i64 plane_out() const { return count * grid.g.out[0] * grid.row_out() + lanes; }
};

}  // namespace dactyl
