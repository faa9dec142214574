// Which tile of a weights' gradient should be fastest, in how many parts. Internal to the kernels.
#pragma once

#include <vector>

#include "kernels/hopper/implicit_weights_walk.h"

namespace dactyl::hopper {

// The shape of a problem of Pass::weights, by rows.
inline ImplicitShape weights_shape(const ConvProblem& p) {
  ConvProblem forward = p;
  forward.pass = Pass::forward;
  return {forward, true};
}

// Bytes of the sums of all parts, in f32.
inline double weights_sums(const ImplicitShape& s, const WeightsTile& t) {
  return 4.0 * t.parts * weights_halves(t.blocks) * s.groups * s.outs * s.taps() * s.ins;
}

// Cycles of a block for a run of places, of so many blocks at a time. The matrix unit takes half a cycle per column and
// unit of 16 places, 16 of them at least; shared memory gives it dy once and x for each tap, 128 bytes a cycle, and
// takes in as many; the second-level cache gives 26 where all processors ask, 64 where few do, each copy 1000 cycles
// after it was asked for.
inline double weights_run_cycles(const ImplicitShape& s, const WeightsTile& t, int blocks, int processors) {
  const double units = 4 * weights_warpgroups(t.blocks), places = weights_places(t.blocks);
  const double arithmetic = units * s.shared * std::max(t.columns, 32) / 2;
  const double outs = 64 * t.blocks, ins = step_channels * boxes(t.columns);
  const double stage = 2 * (places * outs + (places + 8) * ins);
  const double read = units * (16 + s.shared * t.columns / 4.0) + stage / 128;
  // What is beyond the channels is not fetched.
  const double all_outs = s.groups * s.outs, all_ins = s.groups * s.ins;
  const double fetched = 2 * (places * std::min(outs, all_outs) + (places + s.shared - 1) * std::min(ins, all_ins));
  const double rate = std::min(64.0, 26.0 * processors / std::min(blocks, processors));
  return std::max({arithmetic, read, fetched / rate, 1000.0 / (weights_stages(static_cast<int>(stage)) - 1)});
}

inline double predicted_cycles(const ImplicitShape& s, const WeightsTile& t, int processors) {
  const WeightsGrid grid(s, t);
  const int blocks = grid.tiles * t.parts, rounds = (blocks + processors - 1) / processors;
  const double runs = (grid.runs + t.parts - 1) / t.parts, cycles = weights_run_cycles(s, t, blocks, processors);
  const double stored = 4.0 * 64 * weights_warpgroups(t.blocks) * s.shared * t.columns;
  return rounds * (runs * cycles + 3000 + stored / 26) + 3500 + weights_sums(s, t) / (20 * processors);
}

// The tile in the best number of parts: some that fill all processors once or a few times.
inline WeightsTile in_parts(const ImplicitShape& s, WeightsTile tile, int processors) {
  constexpr double most_bytes = 1 << 28;
  const WeightsGrid grid(s, tile);
  WeightsTile best = tile;
  for (int rounds = 1; rounds <= 4; ++rounds) {
    tile.parts = std::clamp(processors * rounds / grid.tiles, 1, grid.runs);
    if (weights_sums(s, tile) <= most_bytes &&
        predicted_cycles(s, tile, processors) < predicted_cycles(s, best, processors))
      best = tile;
  }
  return best;
}

// All tiles there are kernels for, the one that should be fastest first.
inline std::vector<WeightsTile> weights_tiles(const ImplicitShape& s, int processors) {
  std::vector<std::pair<double, WeightsTile>> tiles;
  for (const int blocks : {1, 2, 3})
    for (const int columns : weights_columns)
      if (has_weights_kernel(s.shared, blocks, columns)) {
        const WeightsTile tile = in_parts(s, {blocks, columns}, processors);
        tiles.emplace_back(predicted_cycles(s, tile, processors), tile);
      }
  std::stable_sort(tiles.begin(), tiles.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<WeightsTile> sorted;
  for (const auto& [cycles, tile] : tiles) sorted.push_back(tile);
  return sorted;
}

}  // namespace dactyl::hopper
