// How the weights' gradient of an implicit product is cut into tiles and parts, and how a stage of its sums lies in
// shared memory. Internal to the kernels.
#pragma once

#include <algorithm>
#include <string>

#include "kernels/hopper/implicit_shape.h"

namespace dactyl::hopper {

// 64·blocks outputs × `columns` channels, for one tap along depth and height all those along the width: sums over the
// places of one of so many parts. A warpgroup has 64 outputs; where there are no more, two have half of the places
// each. Places come in runs of 64, of 128 for two halves.
struct WeightsTile {
  int blocks, columns, parts = 1;
  bool operator==(const WeightsTile&) const = default;
};
inline std::string to_text(const WeightsTile& t) {
  return "weights " + std::to_string(64 * t.blocks) + "x" + std::to_string(t.columns) + " in " +
         std::to_string(t.parts) + " parts";
}

constexpr int weights_columns[] = {32, 48, 64, 80, 96, 112, 128};

// Whether there is a kernel: the sums of a thread must fit into its registers, of which three warpgroups have fewer.
constexpr bool has_weights_kernel(int taps, int blocks, int columns) {
  if (taps == 1 && columns % 64 != 0) return false;
  const int sums = taps * columns / 2;
  return blocks == 3 ? columns >= 48 && sums <= 120 : sums <= 192;
}

constexpr int weights_halves(int blocks) { return blocks == 1 ? 2 : 1; }  // of a run's places, each with its sums
constexpr int weights_warpgroups(int blocks) { return blocks * weights_halves(blocks); }
constexpr int weights_places(int blocks) { return 64 * weights_halves(blocks); }
HD constexpr int boxes(int channels) { return (channels + step_channels - 1) / step_channels; }
constexpr int weights_stages(int bytes) {
  constexpr int room = (227 << 10) - 2048;  // beside barriers and what alignment takes
  return std::min(8, room / bytes);
}

// A stage: a run of places of dy, 64 outputs of each, block after block; and of x, 64 channels of each, as the first
// tap sees them. All are rows of 128 bytes, where 16 bytes of column c lie at column c xor (row mod 8).
template <int blocks_, int columns_>
struct WeightsMemory {
  static constexpr int blocks = blocks_, columns = columns_, halves = weights_halves(blocks),
                       warpgroups = weights_warpgroups(blocks), units = 4, row_bytes = 2 * step_channels,
                       unit_bytes = 16 * row_bytes, places = weights_places(blocks), spare = 8;
  static constexpr int gradient_bytes = places * row_bytes, input_bytes = (places + spare) * row_bytes;
  static constexpr int inputs = boxes(columns), input_begin = blocks * gradient_bytes;
  static constexpr int bytes = input_begin + inputs * input_bytes;
  static constexpr int stages = weights_stages(bytes);

  // Places of x: what the last tap sees of the last of the run.
  HD static int brought(const ImplicitShape& s) { return places + s.shared - 1; }
  // From the beginning of a stage: where a warpgroup finds its outputs at 16 places, and what a tap sees there.
  HD static constexpr int gradient_at(int group, int unit) {
    return halves == 2 ? (group * units + unit) * unit_bytes : group * gradient_bytes + unit * unit_bytes;
  }
  HD static constexpr int input_at(int group, int unit, int tap) {
    return input_begin + ((halves == 2 ? group * units : 0) + unit) * unit_bytes + tap * row_bytes;
  }
};

}  // namespace dactyl::hopper
