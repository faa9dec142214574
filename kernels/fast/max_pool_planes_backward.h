// The way back of 3×3×3 with stride 1, from planes of gradients and taps in shared memory. Internal to the kernels.
#pragma once

#include "kernels/fast/max_pool_planes.h"

namespace dactyl::fast {

// Here x's numbers are the results, and `grid` comes from places of y. Outside of y lie taps that no window has. Down
// through the planes of y and, in each, from the last place to the first: so an input's sum meets its taps in order.
template <class T, int wide>
struct PlanesBackward {
  PoolGrid grid;
  Sides<T> at;
  const T* dy;
  const std::uint8_t* taps;
  T* dx;
  static constexpr int size = Pack<T>::size, bytes_per_pack = 16 + size;
  using Sum = float[size];
  using Bytes = typename Routed<T>::Bytes;

  template <class Lane>
  HD void operator()(Lane& lane, unsigned block, int thread) const {
    Run<Lane> run(*this, lane, block, thread);
    run.walk.clear([&](int to) { lane.write(run.taps_at(to), nowhere()); });
    run.ask(0);
    run.ask(1);
    Sum sum[3][2] = {};  // of the inputs that a plane of results meets with taps 0, 9 and 18
    for (int j = 0; j < run.walk.planes; ++j) {
      run.plane(j, sum);
      for (int r = 0; r < 2; ++r) {
        if (j >= 2) run.store(r, j - 2, sum[2][r]);
        for (int i = 0; i < size; ++i) {
          sum[2][r][i] = sum[1][r][i];
          sum[1][r][i] = sum[0][r][i];
          sum[0][r][i] = 0;
        }
      }
    }
  }

  HD static Bytes nowhere() {
    Bytes bytes;
    for (Word& four : bytes.four) four = 0xffffffffu;
    return bytes;
  }

  template <class Lane>
  struct Run {
    const PlanesBackward& p;
    PlaneWalk<wide, Lane> walk;
    int row;  // of the first result

    HD Run(const PlanesBackward& of, Lane& lane, unsigned block, int thread)
        : p(of), walk(of.grid, lane, block, thread), row(walk.to_row()) {}
    HD int from(int j) const { return walk.lowest_plane() + walk.planes - 1 - j; }
    HD bool is_there(int j) const { return j < walk.planes && walk.is_there(from(j)); }
    // Taps lie behind all slots of dy.
    HD int taps_at(int place) const { return PoolGrid::slots * walk.slot_size() * (16 / size) + place; }

    HD void ask(int j) {
      const int first = walk.from_row(from(j)), channel = walk.s.all_pack * size;
      walk.ask(is_there(j), [&](int to, int place) {
        walk.lane.template copy<Pack<T>>(to, p.dy + p.at.y_at(first + place, channel));
        walk.lane.template copy<Bytes>(taps_at(to), p.taps + p.at.dense_at(first + place, channel));
      });
    }
    // What results of plane number j send to both inputs: of the tile's row b and column c to tap 2 − c of a row.
    HD void plane(int j, Sum (&sum)[3][2]) {
      walk.arrive();
      ask(j + 2);
      const int window = walk.window();
      if (!is_there(j)) return;
      rows<3>(window, sum);
    }
    // Rows b, b − 1 … of the tile. Templates, since compilers leave so long a loop a loop, with b a number in
    // registers.
    template <int b>
    HD void rows(int window, Sum (&sum)[3][2]) const {
      for (int c = 2; c >= 0; --c) {
        const int place = walk.place(window, b, c);
        Routed<T> routed;
        routed.take(walk.lane.template read<Pack<T>>(place), walk.lane.template read<Bytes>(taps_at(place)));
        for (int a = 0; a < 3; ++a) {
          if constexpr (b < 3) routed.add_to(sum[a][0], 9 * a + 3 * (2 - b) + 2 - c);
          if constexpr (b > 0) routed.add_to(sum[a][1], 9 * a + 3 * (3 - b) + 2 - c);
        }
      }
      if constexpr (b > 0) rows<b - 1>(window, sum);
    }
    HD void store(int r, int from_last, const Sum& sum) const {
      if (!walk.inside[r]) return;
      const int result = walk.s.end - 1 - from_last - walk.s.first;
      const int at = row + (result * p.grid.to[1] + r) * p.grid.to[2];
      store_sums(p.dx + p.at.x_at(at, walk.s.all_pack * size), sum);
    }
  };
};

}  // namespace dactyl::fast
