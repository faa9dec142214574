// The largest of 3×3×3 with stride 1, from planes in shared memory. Internal to the kernels.
#pragma once

#include "kernels/fast/max_pool_planes.h"
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
  static constexpr int bytes_per_pack = 16;
  using Words = Pack<Word>;

  // Of planes p, p + 1, p + 2 …: the maxima of p + 1 and p + 2 serve the results of p and p + 1.
  template <class Lane>
  HD void operator()(Lane& lane, unsigned block, int thread) const {
    Run<Lane> run(*this, lane, block, thread);
    run.walk.clear([&](int to) { lane.write(to, Best<T>::nothing()); });
    run.ask(0);
    run.ask(1);
    Peak<T> before[2], later[2];
    for (int j = 0; j < run.walk.planes; j += 2) {
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
    PlaneWalk<wide, Lane> walk;
    std::uintptr_t next;  // of the plane to be asked for, this thread's channels; outside of x, too, but then not used
    int row;              // of the first result

    HD Run(const PlanesForward& of, Lane& lane, unsigned block, int thread)
        : p(of), walk(of.grid, lane, block, thread), row(walk.to_row()) {
      next = reinterpret_cast<std::uintptr_t>(p.x) + static_cast<std::uintptr_t>(walk.s.all_pack) * 16;
      next += static_cast<std::uintptr_t>((i64{walk.s.n} * p.grid.from[0] + walk.lowest_plane()) * plane_of_x());
    }
    HD i64 in_x(int place) const { return walk.bytes(place, p.at.x_pitch * static_cast<int>(sizeof(T))); }
    HD i64 plane_of_x() const { return in_x(p.grid.from[1] * p.grid.from[2]); }
    HD bool is_there(int j) const { return j < walk.planes && walk.is_there(walk.lowest_plane() + j); }

    HD void ask(int j) {
      walk.ask(is_there(j), [&](int to, int place) {
        walk.lane.template copy<Words>(to,
                                       reinterpret_cast<const void*>(next + static_cast<std::uintptr_t>(in_x(place))));
      });
      next += static_cast<std::uintptr_t>(plane_of_x());
    }
    // The maxima of 3×3 about both results of plane number j.
    HD void plane(int j, Peak<T> (&now)[2]) {
      walk.arrive();
      ask(j + 2);
      const int window = walk.window();
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
      Peak<T> peak(walk.lane.template read<Words>(walk.place(window, b, 0)));
      for (int c = 1; c < 3; ++c) peak.update(walk.lane.template read<Words>(walk.place(window, b, c)), c);
      return peak;
    }
    HD void store(int r, int result, const Peak<T>& peak) const {
      if (!walk.inside[r] || walk.s.first + result >= walk.s.end) return;
      const int at = row + (result * p.grid.to[1] + r) * p.grid.to[2], channel = walk.s.all_pack * Pack<T>::size;
      peak.store(p.y + p.at.y_at(at, channel));
      if constexpr (with_taps) peak.store_taps(p.taps + p.at.dense_at(at, channel));
    }
  };
};

}  // namespace dactyl::fast
