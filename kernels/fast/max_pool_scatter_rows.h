// Rows of gradients and taps on their way to a warp that scatters them (max_pool_scatter.h). Internal to the kernels.
#pragma once

#include "kernels/fast/max_pool_scatter_grid.h"
#include "kernels/fast/sides.h"

namespace dactyl::fast {

// Two neighbouring channels' numbers, as bits.
template <class T>
struct Pair {
  using Bits = std::conditional_t<sizeof(T) == 4, std::uint64_t, Word>;
  struct alignas(Bits) Two {
    T v[2];
  };

  HD static Bits of(float first, float second) { return std::bit_cast<Bits>(Two{{T(first), T(second)}}); }
  HD static float number(Bits bits, int i) {
    if constexpr (std::is_same_v<T, bf16>)  // one instruction
      return std::bit_cast<float>(i == 0 ? bits << 16 : bits & 0xffff0000u);
    else
      return float(std::bit_cast<Two>(bits).v[i]);
  }
};

// Distances in bytes of 64 bits, with their sign: places before a tensor's first are reckoned with, not read.
HD inline std::uintptr_t bytes_to(int place, int pitch) {
  return static_cast<std::uintptr_t>(static_cast<i64>(place) * pitch);
}

// What a lane reads, row by row, from the last of its windows to the first.
template <class T, class Lane>
struct ScatterRows {
  static constexpr int tile = ScatterGrid::tile, reach = ScatterGrid::reach;
  struct Row {  // of windows: number k begins in the tile's column k − 2
    typename Pair<T>::Bits dy[reach];
    unsigned taps[reach];  // two bytes
    bool there;
  };

  const Sides<T>& at;
  const Lane& lane;
  ScatterSpot s;
  int plane, row = tile - 1;  // the next: of y, and of the tile
  std::uintptr_t dy, taps;    // this lane's channels
  unsigned columns = 0;       // a bit for each window of a row that there is

  HD ScatterRows(const Sides<T>& sides, const Lane& own, const ScatterSpot& spot, int channel, const T* from_dy,
                 const std::uint8_t* from_taps)
      : at(sides),
        lane(own),
        s(spot),
        plane(spot.end - 1 + sides.low[0]),
        dy(reinterpret_cast<std::uintptr_t>(from_dy) + static_cast<std::uintptr_t>(channel) * sizeof(T)),
        taps(reinterpret_cast<std::uintptr_t>(from_taps) + static_cast<std::uintptr_t>(channel)) {
    for (int k = 0; k < reach; ++k)
      if (channel < at.channels && at.within(first_column() + k, at.out[2])) columns |= 1u << k;
  }
  HD int first_column() const { return s.w + at.low[2] - 2; }  // of y

  // What there is not has taps that no window has.
  HD void load(Row& to) {
    const int h = s.h + at.low[1] + row, pitch = at.y_pitch * int{sizeof(T)};
    to.there = at.within(plane, at.out[0]) && at.within(h, at.out[1]);
    const int first = at.row_out(s.n, plane, h, first_column());
    const std::uintptr_t of_dy = dy + bytes_to(first, pitch), of_taps = taps + bytes_to(first, at.channels);
    const unsigned there = to.there ? columns : 0;
    for (int k = 0; k < reach; ++k) {
      to.taps[k] = 0xffffu;
#ifndef __CUDA_ARCH__
      to.dy[k] = 0;  // on a GPU whatever the register holds: nobody reads where it goes
#endif
      if (!(there >> k & 1)) continue;
      to.dy[k] = lane.template load<typename Pair<T>::Bits>(of_dy + bytes_to(k, pitch));
      to.taps[k] = lane.template load<std::uint16_t>(of_taps + bytes_to(k, at.channels));
    }
    if (--row < -2) {
      row = tile - 1;
      --plane;
    }
  }
};

}  // namespace dactyl::fast
