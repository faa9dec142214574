// A block's walk through planes that come to shared memory: what both directions of a 3×3×3 pool with stride 1 have in
// common. `lane` is the block's thread: it copies, waits and meets the others; a GPU's in max_pool_planes.cu, a host's
// in the tests. Places of shared memory are counted in packs. Internal to the kernels.
#pragma once

#include "kernels/fast/max_pool_tile.h"

namespace dactyl::fast {

template <int wide, class Lane>
struct PlaneWalk {
  const PoolGrid& grid;
  Lane& lane;
  PoolSpot s;
  PoolShare share;
  int planes;                    // there are two more than results
  int asked_slot = 0, slot = 0;  // of the next plane to be asked for, of the one in use
  bool inside[2];                // whether this thread's results are any

  HD PlaneWalk(const PoolGrid& of, Lane& own, unsigned block, int thread)
      : grid(of),
        lane(own),
        s(PoolSpot::of(of, block, thread, width())),
        share(PoolShare::of(of, s, thread, width())),
        planes(s.end - s.first + 2) {
    for (int r = 0; r < 2; ++r) inside[r] = s.all_pack < of.all_packs && s.w < of.to[2] && s.h + r < of.to[1];
  }
  HD static std::integral_constant<int, wide> width() { return {}; }
  HD int lowest_plane() const { return s.first - grid.low[0]; }
  HD bool is_there(int plane) const { return static_cast<unsigned>(plane) < static_cast<unsigned>(grid.from[0]); }
  HD int from_row(int plane) const { return (s.n * grid.from[0] + plane) * grid.from[1] * grid.from[2]; }
  HD int to_row() const {
    return ((s.n * grid.to[0] + s.first) * grid.to[1] + s.h) * grid.to[2] + s.w;
  }  // of the first

  HD int slot_size() const { return grid.places() * PoolGrid::packs; }
  HD void turn(int& i) const {
    i += slot_size();
    if (i == PoolGrid::slots * slot_size()) i = 0;
  }
  // What lies outside of a plane is written once, to every slot.
  template <class Clear>
  HD void clear(const Clear& clear) const {
    share.each_outside([&](int to) {
      for (int j = 0; j < PoolGrid::slots; ++j) clear(j * slot_size() + to);
    });
  }
  // copy(place of shared memory, place of the plane) for all of this thread's, if that plane is there. Each plane is
  // asked for once, there or not: a group without copies is as good to wait for.
  template <class Copy>
  HD void ask(bool there, const Copy& copy) {
    if (there) share.each_inside([&](int to, int place) { copy(asked_slot + to, place); });
    lane.end_group();
    turn(asked_slot);
  }
  // Waits for the next plane. Then the slot of the one before is free: all have come to this barrier, past its use.
  HD void arrive() const {
    lane.wait_but_one();
    lane.barrier();
  }
  // Where the first of the 4×3 places lies that this thread's results come from; afterwards the next plane's turn.
  HD int window() {
    const int at = slot + (s.row * (wide + 2) + s.column) * PoolGrid::packs + s.pack;
    turn(slot);
    return at;
  }
  HD static int place(int window, int b, int c) { return window + (b * (wide + 2) + c) * PoolGrid::packs; }

  HD static i64 bytes(int place, int pitch) { return Sides<float>::place(place, pitch, 0); }
};

}  // namespace dactyl::fast
