// Max-pooling by 3×3×3 with stride 1 where a block keeps planes in shared memory. `lane` is the block's thread: it
// copies, waits and meets the others; a GPU's in max_pool_planes.cu, a host's in the tests. Internal to the kernels.
#pragma once

#include "kernels/fast/max_pool_tile.h"
#include "kernels/fast/peak.h"

namespace dactyl::fast {

// Planes come to shared memory with a rim of `lowest`, so that windows ask nothing about the volume's ends and find
// their taps at distances known when compiled.
template <class T, int wide, bool with_taps>
struct PlanesForward {
  PoolGrid grid;
  Sides<T> at;
  const T* x;
  T* y;
  std::uint8_t* taps;
  using Words = Pack<Word>;

  // Of planes p, p + 1, p + 2 …: the maxima of p + 1 and p + 2 serve the results of p and p + 1.
  template <class Lane>
  HD void operator()(Lane& lane, unsigned block, int thread) const {
    Run<Lane> run(*this, lane, block, thread);
    run.clear();
    run.ask(0);
    run.ask(1);
    Peak<T> before[2], later[2];
    for (int j = 0; j < run.planes; j += 2) {
      Peak<T> now[2];
      run.plane(j, now);
      for (int r = 0; r < 2; ++r) {
        later[r].update(now[r], 9);
        before[r].update(later[r], 9);
        if (j >= 2) run.store(r, j - 2, before[r]);
        before[r] = now[r];
      }
      run.plane(j + 1, now);
      for (int r = 0; r < 2; ++r) {
        later[r].update(now[r], 18);
        if (j >= 2) run.store(r, j - 1, later[r]);
        later[r] = now[r];
      }
    }
  }

  template <class Lane>
  struct Run {
    const PlanesForward& p;
    Lane& lane;
    PoolSpot s;
    PoolShare share;
    int planes, asked_slot = 0, slot = 0;
    std::uintptr_t next;  // of the plane to be asked for, this thread's channels; before x, too, but then not used
    int row;              // of the first result
    bool stores[2];

    HD Run(const PlanesForward& of, Lane& own, unsigned block, int thread)
        : p(of), lane(own), s(PoolSpot::of(of.grid, block, thread, width())),
          share(PoolShare::of(of.grid, s, thread, width())), planes(s.end - s.first + 2) {
      next = address(p.x) + s.all_pack * 16 + (i64{s.n} * p.grid.from[0] + s.first - p.grid.low[0]) * plane_of_x();
      row = p.at.row_out(s.n, s.first, s.h, s.w);
      for (int r = 0; r < 2; ++r)
        stores[r] = s.all_pack < p.grid.all_packs && s.w < p.grid.to[2] && s.h + r < p.grid.to[1];
    }
    HD static std::integral_constant<int, wide> width() { return {}; }
    HD static std::uintptr_t address(const void* to) { return reinterpret_cast<std::uintptr_t>(to); }
    HD i64 in_x(int place) const { return bytes(place, p.at.x_pitch * static_cast<int>(sizeof(T))); }
    HD static i64 bytes(int place, int pitch) { return Sides<T>::place(place, pitch, 0); }
    HD i64 plane_of_x() const { return in_x(p.grid.from[1] * p.grid.from[2]); }
    HD int slot_size() const { return p.grid.places() * PoolGrid::packs; }
    HD void turn(int& i) const {
      i += slot_size();
      if (i == PoolGrid::slots * slot_size()) i = 0;
    }
    HD bool is_there(int j) const {
      return j < planes && p.at.within(s.first + j - p.grid.low[0], p.grid.from[0]);
    }

    HD void clear() const {
      share.each_outside([&](int to) {
        for (int j = 0; j < PoolGrid::slots; ++j) lane.write(j * slot_size() + to, Best<T>::nothing());
      });
    }
    // Asks for plane number j of the walk. Empty groups are as good as others to wait for.
    HD void ask(int j) {
      if (is_there(j))
        share.each_inside([&](int to, int place) {
          lane.copy16(asked_slot + to, reinterpret_cast<const void*>(next + in_x(place)));
        });
      lane.end_group();
      turn(asked_slot);
      next += static_cast<std::uintptr_t>(plane_of_x());
    }
    // The maxima of 3×3 about both results of plane number j, which must have been asked for. Asks for number j + 2,
    // whose slot nobody reads any more: all have come to this barrier, past plane j − 1.
    HD void plane(int j, Peak<T> (&now)[2]) {
      lane.wait_but_one();
      lane.barrier();
      ask(j + 2);
      const int window = slot + (s.row * (wide + 2) + s.column) * PoolGrid::packs + s.pack;
      turn(slot);
      for (int r = 0; r < 2; ++r) now[r] = {};
      if (!is_there(j)) return;
      Peak<T> both = three(window, 1);
      both.update(three(window, 2), 3);
      now[0] = three(window, 0);
      now[0].update(both, 3);
      now[1] = both;
      now[1].update(three(window, 3), 6);
    }
    HD Peak<T> three(int window, int b) const {
      const int from = window + b * (wide + 2) * PoolGrid::packs;
      Peak<T> peak(lane.read(from));
      for (int c = 1; c < 3; ++c) peak.update(lane.read(from + c * PoolGrid::packs), c);
      return peak;
    }
    HD void store(int r, int result, const Peak<T>& peak) const {
      if (!stores[r] || s.first + result >= s.end) return;
      const int at = row + (result * p.grid.to[1] + r) * p.grid.to[2], channel = s.all_pack * Pack<T>::size;
      peak.store(p.y + p.at.y_at(at, channel));
      if constexpr (with_taps) peak.store_taps(p.taps + p.at.dense_at(at, channel));
    }
  };
};

}  // namespace dactyl::fast
