// The way back of a 3×3×3 pool with stride 1 by scattering: each result's gradient is added where its tap says, once,
// where gathering asks 27 results per input. Sums of a tile lie in shared memory; a lane alone adds those of its two
// channels, from the last window to the first, so that a sum meets its taps in order. No warp waits for another.
// Internal to the kernels.
#pragma once

#include "kernels/fast/max_pool_scatter_grid.h"
#include "kernels/fast/sides.h"

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

  using Two = std::conditional_t<sizeof(T) == 4, std::uint64_t, Word>;  // bits of two numbers
  struct Row {  // of windows: number k begins in the tile's column k − 2
    Two dy[reach];
    unsigned taps[reach];  // two bytes
    bool there;
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
    std::uintptr_t from_dy, from_taps, to_dx;  // this lane's channels
    unsigned columns = 0;                 // a bit for each window of a row that there is

    HD Run(const ScatterBackward& of, const Lane& own, unsigned unit, int thread)
        : p(of), lane(own), s(of.grid, unit), base(thread / 32 * ScatterGrid::warp_bytes + thread % 32 * 4),
          number(thread % 32), channel(s.channel + 2 * number), planes(s.end - s.first + 2),
          next_plane(s.end - 1 + of.at.low[0]),
          from_dy(reinterpret_cast<std::uintptr_t>(of.dy) + static_cast<std::uintptr_t>(channel) * sizeof(T)),
          from_taps(reinterpret_cast<std::uintptr_t>(of.taps) + static_cast<std::uintptr_t>(channel)),
          to_dx(reinterpret_cast<std::uintptr_t>(of.dx) + static_cast<std::uintptr_t>(channel) * sizeof(T)) {
      for (int k = 0; k < reach; ++k)
        if (channel < p.at.channels && p.at.within(window_column(k - 2), p.at.out[2])) columns |= 1u << k;
      for (int cell = 0; cell < ScatterGrid::cells; ++cell) clear(base + cell * cell_bytes);
    }
    HD int window_row(int q) const { return s.h + p.at.low[1] + q; }  // of y: the window whose first row is the tile's q
    HD int window_column(int q) const { return s.w + p.at.low[2] + q; }
    HD void clear(int to) const {
      lane.write(to, 0.0f);
      lane.write(to + half, 0.0f);
    }

    // Places of y before its first are addresses that nobody reads: their sign is kept.
    HD static std::uintptr_t times(int place, int pitch) {
      return static_cast<std::uintptr_t>(static_cast<i64>(place) * pitch);
    }
    HD static float number_of(Two two, int i) {
      const auto bits = static_cast<Word>(two >> (i * int{sizeof(T)} * 8));
      if constexpr (sizeof(T) == 4) {
        return std::bit_cast<float>(bits);
      } else if constexpr (std::is_same_v<T, bf16>) {
        return std::bit_cast<float>(i == 0 ? two << 16 : two & 0xffff0000u);
      } else {
        T half;
        half.bits = static_cast<std::uint16_t>(bits);
        return float(half);
      }
    }

    HD void load(Row& row) {
      const int h = window_row(next_row);
      row.there = p.at.within(next_plane, p.at.out[0]) && p.at.within(h, p.at.out[1]);
      const int first = p.at.row_out(s.n, next_plane, h, window_column(-2));  // which may not be there
      const std::uintptr_t dy = from_dy + times(first, p.at.y_pitch * int{sizeof(T)});
      const std::uintptr_t taps = from_taps + times(first, p.at.channels);
      const unsigned there = row.there ? columns : 0;
      for (int k = 0; k < reach; ++k) {
        row.taps[k] = 0xffffu;
        row.dy[k] = 0;
        if (!(there >> k & 1)) continue;
        row.dy[k] = lane.template load<Two>(dy + times(k, p.at.y_pitch * int{sizeof(T)}));
        row.taps[k] = lane.template load<std::uint16_t>(taps + times(k, p.at.channels));
      }
      if (--next_row < -2) {
        next_row = tile - 1;
        --next_plane;
      }
    }

    // Row q of plane number j of the walk; after a row's last window that before it.
    HD void add(const Row& row, int j, int q) const {
      if (!row.there) return;
      const int shared = p.grid.place(number, j, q, 0);  // of columns 0 to 2: what is outside has room for three
      for (int k = reach - 1; k >= 0; --k) {
        const int column = k - 2, alike = column >= 0 && column < ScatterGrid::spare ? 0 : column;
        const auto place = [&](int tap) { return p.grid.place(tap, j, q, alike); };
        const int mine = alike ? place(number) : shared;
        const int first = base + lane.pick(mine, place, row.taps[k]) + column * cell_bytes;
        const int second = base + lane.pick(mine, place, row.taps[k] >> 8) + column * cell_bytes + half;
        const float sums[2] = {lane.template read<float>(first), lane.template read<float>(second)};
        lane.write(first, sums[0] + number_of(row.dy[k], 0));
        lane.write(second, sums[1] + number_of(row.dy[k], 1));
      }
    }

    // The plane that number j was the last to add to.
    HD void flush(int j) const {
      const int slot = j % 3 * tile * tile, plane = s.end + 1 - j;
      const int rows = j < 2 || channel >= p.at.channels ? 0 : p.at.in[1] - s.h;
      for (int r = 0; r < tile; ++r) {
        const std::uintptr_t to = to_dx + times(p.at.row_in(s.n, plane, s.h + r, s.w), pitch_of_dx());
        for (int c = 0; c < tile; ++c) {
          const int from = base + (slot + r * tile + c) * cell_bytes;
          const float sums[2] = {lane.template read<float>(from), lane.template read<float>(from + half)};
          clear(from);
          if (r < rows && s.w + c < p.at.in[2]) lane.store(to + times(c, pitch_of_dx()), bits_of(sums));
        }
      }
    }
    HD int pitch_of_dx() const { return p.at.x_pitch * int{sizeof(T)}; }
    HD static Two bits_of(const float (&numbers)[2]) {
      struct alignas(Two) {
        T v[2];
      } const two{{T(numbers[0]), T(numbers[1])}};
      return std::bit_cast<Two>(two);
    }
  };
};

}  // namespace dactyl::fast
