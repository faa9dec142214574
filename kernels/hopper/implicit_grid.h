// Which block has which tile. Internal to the kernels.
#pragma once

#include "kernels/hopper/implicit_tile.h"

namespace dactyl::hopper {

// What a block has of a tile: from a place and an output of a group on, a part of the sums.
struct TileWork {
  int first, group, out, part;
};

// The tiles in order: of the same places one after the other, group by group.
struct TileGrid {
  int places, columns, parts, across, count;  // `across` tiles hold a group's outputs
  Divisor by_parts, by_across, by_groups;
  bool stay = false;  // filters do
  TileGrid(const ImplicitShape& s, const ImplicitTile& t)
      : places(t.places()),
        columns(t.columns),
        parts(t.parts),
        across((s.outs + t.columns - 1) / t.columns),
        count((s.places + places - 1) / places * s.groups * across * parts),
        by_parts(parts),
        by_across(across),
        by_groups(s.groups) {}
  HD TileWork work(int tile) const {
    int part, out, group;
    const int first = quotient(by_groups, quotient(by_across, quotient(by_parts, tile, part), out), group);
    return {first * places, group, out * columns, part};
  }
  // Whether each of so many blocks meets the same filters in all its tiles and has a stage for every one: then they are
  // brought once.
  bool filters_stay(const ImplicitShape& s, int blocks) const {
    return parts == 1 && s.window[0] == 1 && s.taps() * s.steps <= filter_stages(places / 128, columns) &&
           blocks % (across * s.groups) == 0;
  }
  HD Steps steps(const ImplicitShape& s, const TileWork& w) const { return s.part(w.first, places, w.part, by_parts); }
};

}  // namespace dactyl::hopper
