// TV-L1: the pyramid's levels. Internal to the kernels.
#pragma once

#include "engine/device.h"
#include "kernels/flow_tvl1_level.h"

namespace dactyl::tvl1 {

// Result i of one axis reads from (i + shift)·scale − shift of `size` numbers: shift ½ aligns centres, 0 the first
// ones.
struct Axis {
  int size;
  double scale, shift;
};

// Frames (N, along_y.size, along_x.size) to (N, height, width).
void shrink(Device, i64 pairs, const float* from, int height, int width, const Axis& along_y, const Axis& along_x,
            float* to);
// Fills level.second from the second frames: brightness and half the difference of both neighbours (of the pixel and
// its only neighbour at the border).
void derive(Device, i64 pairs, const float* frames, const Level& level);
void start(Device, i64 pairs, const Level& level);  // flow and dual variables 0
// The coarse level's flow times a factor becomes the fine one's; its dual variables begin at 0.
void enlarge(Device, i64 pairs, const Level& coarse, const Level& fine, const Axis& along_y, const Axis& along_x,
             float factor);

}  // namespace dactyl::tvl1
