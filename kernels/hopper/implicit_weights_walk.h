// Which block has which outputs, channels, taps and places of a weights' gradient. Internal to the kernels.
#pragma once

#include "kernels/hopper/implicit_weights_tile.h"

namespace dactyl::hopper {

// What a block has: from an output and a channel of a group on, a tap, some runs of places.
struct WeightsWork {
  int group, out, in, d, h, part, first, end;
};

// The blocks in order: all tiles of the first part, whose places are the same, then those of the next.
struct WeightsGrid {
  int outs, columns, runs, across_outs, across_ins, tiles, parts;
  WeightsGrid(const ImplicitShape& s, const WeightsTile& t)
      : outs(64 * t.blocks),
        columns(t.columns),
        runs((s.places - 1) / weights_places(t.blocks) + 1),
        across_outs((s.outs + outs - 1) / outs),
        across_ins((s.ins + columns - 1) / columns),
        tiles(s.groups * s.window[0] * s.window[1] * across_outs * across_ins),
        parts(t.parts) {}
  HD WeightsWork work(const ImplicitShape& s, int block) const {
    const int part = block / tiles, at = block % tiles, taps = at / (across_outs * across_ins);
    return {taps / (s.window[0] * s.window[1]),
            at % across_outs * outs,
            at / across_outs % across_ins * columns,
            taps / s.window[1] % s.window[0],
            taps % s.window[1],
            part,
            static_cast<int>(i64{runs} * part / parts),
            static_cast<int>(i64{runs} * (part + 1) / parts)};
  }
};

// The runs of a block's places that its tap along the depth sees a frame of.
class WeightsWalk {
 public:
  HD WeightsWalk(const ImplicitShape& s, const WeightsWork& w, int places)
      : s_(s), places_(places), d_(w.d), run_(w.first), end_(w.end) {
    skip();
  }
  HD bool more() const { return run_ < end_; }
  HD int first_place() const { return run_ * places_; }
  HD void next() {
    ++run_;
    skip();
  }

 private:
  HD void skip() {
    if (s_.window[0] == 1) return;
    while (more() && !is_seen(s_.depth_taps(first_place(), places_))) ++run_;
  }
  HD bool is_seen(Taps taps) const { return taps.first <= d_ && d_ < taps.end; }
  const ImplicitShape& s_;
  int places_, d_, run_, end_;
};

}  // namespace dactyl::hopper
