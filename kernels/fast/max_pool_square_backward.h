// The way back of a pool of 3×3 with stride 1 (max_pool_square.h). Internal to the kernels.
#pragma once

#include "kernels/fast/max_pool_strips.h"

namespace dactyl::fast {

// Up through the rows of dy, and in each from the right to the left, since an input's first tap lies in the last
// window: sums meet their taps in order. A row of dy serves three rows of dx.
template <class T>
struct SquareBackward {
  Strips strips;
  PlaneRows<const T> dy;
  PlaneRows<const std::uint8_t> taps;
  PlaneRows<T> dx;
  int low[2];  // rows and columns of padding
  using Sum = float[Pack<T>::size];
  using Bytes = typename Routed<T>::Bytes;

  HD void operator()(unsigned i) const {
    Strip s;
    if (!strips.find(i, s)) return;
    Run run(*this, s);
    Sum a = {}, b = {}, c = {};
    while (run.result < run.results) {
      run.step(a, b, c);
      run.step(c, a, b);
      run.step(b, c, a);
    }
  }

  struct Run {
    const SquareBackward& p;
    int results, result = -2;  // of the strip: how many; number of the next to be complete, from the last on
    int left, rows;            // rows of dy to come; as many as are there
    unsigned columns;          // of dy: column c sends to tap c of a row
    std::uintptr_t dy, taps, dx;
    Bytes bytes[3];

    HD Run(const SquareBackward& of, const Strip& s) : p(of), results(s.end - s.first) {
      const int first = s.first + p.low[0] - 2 > 0 ? s.first + p.low[0] - 2 : 0, h = s.end - 1 + p.low[0];
      left = h - first;
      rows = p.dy.height - first;
      columns = p.dy.three_columns(s.w + p.low[1], -1);
      dy = p.dy.at(s.plane, h, s.w + p.low[1], s.channel);
      taps = p.taps.at(s.plane, h, s.w + p.low[1], s.channel);
      dx = p.dx.at(s.plane, s.end + 1, s.w, s.channel);
      for (int c = 0; c < 3; ++c)
        for (Word& four : bytes[c].four) four = 0xffffffffu;  // no window has such a tap
    }
    HD static bool within(int i, int n) { return static_cast<unsigned>(i) < static_cast<unsigned>(n); }
    // Sums of the inputs that this row's windows meet with their taps from 0, 3 and 6 on. The last are complete then.
    HD void step(Sum& from_0, Sum& from_3, Sum& from_6) {
      if (within(left, rows)) add(from_0, from_3, from_6);
      if (within(result, results)) store_sums(reinterpret_cast<T*>(dx), from_6);
      for (float& sum : from_6) sum = 0;
      --left;
      dy -= static_cast<std::uintptr_t>(p.dy.row);
      taps -= static_cast<std::uintptr_t>(p.taps.row);
      ++result;
      dx -= static_cast<std::uintptr_t>(p.dx.row);
    }
    HD void add(Sum& from_0, Sum& from_3, Sum& from_6) {
      Pack<Word> gradients[3];
      for (int c = 0; c < 3; ++c) {
#ifndef __CUDA_ARCH__
        gradients[c] = {{~0u, ~0u, ~0u, ~0u}};  // NaN; on a GPU whatever the registers hold: no tap leads anywhere
#endif
        if (!(columns >> c & 1)) continue;
        gradients[c] = load_at<Pack<Word>>(dy - static_cast<std::uintptr_t>(c * p.dy.column));
        bytes[c] = load_at<Bytes>(taps - static_cast<std::uintptr_t>(c * p.taps.column));
      }
      for (int c = 0; c < 3; ++c) {
        Routed<T> routed;
        routed.take(std::bit_cast<Pack<T>>(gradients[c]), bytes[c]);
        routed.add_to(from_0, c);
        routed.add_to(from_3, 3 + c);
        routed.add_to(from_6, 6 + c);
      }
    }
  };
};

}  // namespace dactyl::fast
