// The way back of a 3×3×3 pool with stride 1 by scattering: each result's gradient is added where its tap says, once,
// where gathering asks 27 results per input. Sums of a tile lie in shared memory; a lane alone adds those of its two
// channels, from the last window to the first, so that a sum meets its taps in order. No warp waits for another.
// Internal to the kernels.
#pragma once

#include "kernels/fast/max_pool_scatter_rows.h"

namespace dactyl::fast {

// `lane` is a thread: it reads and writes shared memory by bytes, loads and stores memory by address, and
// pick(mine, of, i) is of(i) for an `of` whose value for this lane is `mine`.
template <class T>
struct ScatterBackward {
  ScatterGrid grid;
  Sides<T> at;
  const T* dy;
  const std::uint8_t* taps;
  T* dx;
  static constexpr int tile = ScatterGrid::tile, reach = ScatterGrid::reach;
  static constexpr int cell_bytes = ScatterGrid::cell_bytes, half = cell_bytes / 2;

  template <class Lane>
  HD void operator()(const Lane& lane, unsigned block, int thread) const {
    const unsigned unit = block * static_cast<unsigned>(grid.warps) + static_cast<unsigned>(thread) / 32;
    if (unit >= static_cast<unsigned>(grid.units)) return;
    const Run<Lane> run(*this, lane, unit, thread);
    ScatterRows<T, Lane> rows(at, lane, run.s, run.channel, dy, taps);
    typename ScatterRows<T, Lane>::Row a, b, c;  // three are on their way
    rows.load(a);
    rows.load(b);
    rows.load(c);
    for (int j = 0; j < run.s.end - run.s.first + 2; ++j) {
      for (int q = tile - 1; q > -3; q -= 3) {
        run.add(a, j, q);
        rows.load(a);
        run.add(b, j, q - 1);
        rows.load(b);
        run.add(c, j, q - 2);
        rows.load(c);
      }
      run.flush(j);
    }
  }

  template <class Lane>
  struct Run {
    const ScatterBackward& p;
    const Lane& lane;
    ScatterSpot s;
    int number, base, channel;
    std::uintptr_t to_dx;  // this lane's channels

    HD Run(const ScatterBackward& of, const Lane& own, unsigned unit, int thread)
        : p(of),
          lane(own),
          s(of.grid, unit),
          number(thread % 32),
          base(thread / 32 * ScatterGrid::warp_bytes + number * 4),
          channel(s.channel + 2 * number),
          to_dx(reinterpret_cast<std::uintptr_t>(of.dx) + static_cast<std::uintptr_t>(channel) * sizeof(T)) {
      for (int cell = 0; cell < ScatterGrid::cells; ++cell) clear(base + cell * cell_bytes);
    }
    HD void clear(int to) const {
      lane.write(to, 0.0f);
      lane.write(to + half, 0.0f);
    }

    // Row q of the windows of plane number j, the last one first.
    HD void add(const typename ScatterRows<T, Lane>::Row& row, int j, int q) const {
      if (!row.there) return;
      const int shared = ScatterGrid::place(number, j, q, 0);  // of columns 0 to 2: `outside` has room for three
      for (int k = reach - 1; k >= 0; --k) {
        const int column = k - 2, alike = column >= 0 && column < ScatterGrid::spare ? 0 : column;
        const auto place = [&](int tap) { return ScatterGrid::place(tap, j, q, alike); };
        const int mine = alike ? place(number) : shared, from = base + column * cell_bytes;
        const int first = from + lane.pick(mine, place, row.taps[k]);
        const int second = from + lane.pick(mine, place, row.taps[k] >> 8) + half;
        const float sums[2] = {lane.template read<float>(first), lane.template read<float>(second)};
        lane.write(first, sums[0] + Pair<T>::number(row.dy[k], 0));
        lane.write(second, sums[1] + Pair<T>::number(row.dy[k], 1));
      }
    }

    // The plane that number j was the last to add to. Its place is the next one's.
    HD void flush(int j) const {
      const int slot = j % 3 * tile * tile, plane = s.end + 1 - j, pitch = p.at.x_pitch * int{sizeof(T)};
      const int rows = j < 2 || channel >= p.at.channels ? 0 : p.at.in[1] - s.h;
      for (int r = 0; r < tile; ++r) {
        const std::uintptr_t to = to_dx + bytes_to(p.at.row_in(s.n, plane, s.h + r, s.w), pitch);
        for (int c = 0; c < tile; ++c) {
          const int from = base + (slot + r * tile + c) * cell_bytes;
          const float first = lane.template read<float>(from), second = lane.template read<float>(from + half);
          clear(from);
          if (r < rows && s.w + c < p.at.in[2]) lane.store(to + bytes_to(c, pitch), Pair<T>::of(first, second));
        }
      }
    }
  };
};

}  // namespace dactyl::fast
