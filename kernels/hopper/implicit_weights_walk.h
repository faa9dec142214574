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
  int least, longer;  // runs of a part, and how many of the first ones have one more
  Divisor by_tiles, by_outs, by_ins, by_depth, by_height;
  WeightsGrid(const ImplicitShape& s, const WeightsTile& t)
      : outs(64 * t.blocks),
        columns(t.columns),
        runs((s.places - 1) / weights_places(t.blocks) + 1),
        across_outs((s.outs + outs - 1) / outs),
        across_ins((s.ins + columns - 1) / columns),
        tiles(s.groups * s.window[0] * s.window[1] * across_outs * across_ins),
        parts(t.parts),
        least(runs / parts),
        longer(runs % parts),
        by_tiles(tiles),
        by_outs(across_outs),
        by_ins(across_ins),
        by_depth(s.window[0]),
        by_height(s.window[1]) {}
  HD WeightsWork work(int block) const {
    int tile, out, in, h, d;
    const int part = quotient(by_tiles, block, tile), taps = quotient(by_ins, quotient(by_outs, tile, out), in);
    const int group = quotient(by_depth, quotient(by_height, taps, h), d);
    return {group, out * outs, in * columns, d, h, part, first_run(part), first_run(part + 1)};
  }
  HD int first_run(int part) const { return part * least + (part < longer ? part : longer); }
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
