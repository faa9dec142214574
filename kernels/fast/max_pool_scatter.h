// The way back of a 3×3×3 pool with stride 1 by scattering: each result's gradient is added where its tap says, once,
// where gathering asks 27 results per input. Sums of a tile lie in shared memory; a lane alone adds those of its two
// channels, from the last window to the first, so that a sum meets its taps in order. No warp waits for another.
// Internal to the kernels.
#pragma once

#include "kernels/fast/max_pool_scatter_grid.h"
#include "kernels/fast/sides.h"

namespace dactyl::fast {

// `lane` is a thread: its shared memory in bytes, and pick(mine, of, i), which is of(i) for an `of` whose value in this
// lane is `mine`.
template <class T>
struct ScatterBackward {
  ScatterGrid grid;
  Sides<T> at;
  const T* dy;
  const std::uint8_t* taps;
  T* dx;
  static constexpr int tile = ScatterGrid::tile, reach = ScatterGrid::reach;
  static constexpr int cell_bytes = ScatterGrid::cell_bytes, half = cell_bytes / 2;

  struct alignas(2 * sizeof(T)) Two {
    T v[2];
  };
  struct Row {  // of windows: number k begins in the tile's column k − 2
    Two dy[reach];
    unsigned taps[reach];  // two bytes
  };

  template <class Lane>
  HD void operator()(const Lane& lane, unsigned block, int thread) const {
    const unsigned unit = block * static_cast<unsigned>(grid.warps) + static_cast<unsigned>(thread) / 32;
    if (unit >= static_cast<unsigned>(grid.units)) return;
    Run<Lane> run(*this, lane, unit, thread);
    Row a, b, c;  // three rows are on their way
    run.load(a);
    run.load(b);
    run.load(c);
    for (int j = 0; j < run.planes; ++j) {
      for (int q = tile - 1; q > -3; q -= 3) {
        run.add(a, j, q);
        run.load(a);
        run.add(b, j, q - 1);
        run.load(b);
        run.add(c, j, q - 2);
        run.load(c);
      }
      run.flush(j);
    }
  }

  template <class Lane>
  struct Run {
    const ScatterBackward& p;
    const Lane& lane;
    ScatterSpot s;
    int base, number, channel, planes;
    int next_plane, next_row = tile - 1;  // to be loaded
    unsigned columns = 0;                 // a bit for each window of a row that there is

    HD Run(const ScatterBackward& of, const Lane& own, unsigned unit, int thread)
        : p(of), lane(own), s(of.grid, unit), base(thread / 32 * ScatterGrid::warp_bytes + thread % 32 * 4),
          number(thread % 32), channel(s.channel + 2 * number), planes(s.end - s.first + 2),
          next_plane(s.end - 1 + of.at.low[0]) {
      for (int k = 0; k < reach; ++k)
        if (channel < p.at.channels && p.at.within(window_column(k - 2), p.at.out[2])) columns |= 1u << k;
      for (int cell = 0; cell < ScatterGrid::cells; ++cell) clear(cell * cell_bytes);
    }
    HD int window_row(int q) const { return s.h + p.at.low[1] + q; }  // of y: the window whose first row is the tile's q
    HD int window_column(int q) const { return s.w + p.at.low[2] + q; }
    HD void clear(int to) const {
      lane.write(base + to, 0.0f);
      lane.write(base + to + half, 0.0f);
    }

    HD void load(Row& row) {
      const int h = window_row(next_row);
      const bool there = p.at.within(next_plane, p.at.out[0]) && p.at.within(h, p.at.out[1]);
      const int first = p.at.row_out(s.n, there ? next_plane : 0, there ? h : 0, 0);
      for (int k = 0; k < reach; ++k) {
        row.taps[k] = 0xffffu;
        row.dy[k] = Two{};
        if (!there || !(columns >> k & 1)) continue;
        const int at = first + window_column(k - 2);
        row.dy[k] = read<Two>(p.dy + p.at.y_at(at, channel));
        row.taps[k] = read<std::uint16_t>(p.taps + p.at.dense_at(at, channel));
      }
      if (--next_row < -2) {
        next_row = tile - 1;
        --next_plane;
      }
    }

    // Row q of plane number j of the walk; after a row's last window that before it.
    HD void add(const Row& row, int j, int q) const {
      const int shared = p.grid.place(number, j, q, 0);  // of columns 0 to 2: what is outside has room for three
      for (int k = reach - 1; k >= 0; --k) {
        const int column = k - 2, alike = column >= 0 && column < ScatterGrid::spare ? 0 : column;
        const auto place = [&](int tap) { return p.grid.place(tap, j, q, alike); };
        const int mine = alike ? place(number) : shared;
        const int first = base + lane.pick(mine, place, row.taps[k]) + column * cell_bytes;
        const int second = base + lane.pick(mine, place, row.taps[k] >> 8) + column * cell_bytes + half;
        const float sums[2] = {lane.template read<float>(first), lane.template read<float>(second)};
        lane.write(first, sums[0] + float(row.dy[k].v[0]));
        lane.write(second, sums[1] + float(row.dy[k].v[1]));
      }
    }

    // The plane that number j was the last to add to.
    HD void flush(int j) const {
      const int slot = j % 3 * tile * tile, plane = s.end + 1 - j;
      const int rows = j < 2 ? 0 : p.at.in[1] - s.h;
      for (int r = 0; r < tile; ++r)
        for (int c = 0; c < tile; ++c) {
          const int from = (slot + r * tile + c) * cell_bytes;
          const Two sums{{T(lane.template read<float>(base + from)), T(lane.template read<float>(base + from + half))}};
          clear(from);
          if (r < rows && s.w + c < p.at.in[2] && channel < p.at.channels)
            write(p.dx + p.at.x_at(p.at.row_in(s.n, plane, s.h + r, s.w + c), channel), sums);
        }
    }
  };
};

}  // namespace dactyl::fast
