// Row loops of Farnebäck's flow for host memory, compiled for several instruction sets. Internal to the kernels.
#pragma once

#include <vector>

#include "kernels/flow_farneback_maths.h"

namespace dactyl::farneback {

// How one line of numbers is smoothed and resized: number i sums `taps` old ones from first[i] on, mirrored at the
// ends.
struct Line {
  i64 old_size, size, taps;
  std::vector<i64> first;
  std::vector<float> weights;  // (size, taps)
};

// Row y of the shrunk frame.
void shrink_row(const Line& across, const Line& down, const float* frame, i64 y, float* out);
// Row y of an image's five planes of coefficients.
void expand_row(const Fit& fit, const float* image, i64 height, i64 width, i64 y, float* planes);
// Row y of the five planes of the normal equations; `flow` is that row, the others are a pair's planes.
void equations_row(const float* first, const float* second, i64 height, i64 width, i64 y, const float* flow, float* m);
// The flow of the strip of rows that begins at row `begin`, from a pair's planes m.
void solve_strip(const WindowSum& window, const float* m, i64 height, i64 width, i64 begin, float* flow);

}  // namespace dactyl::farneback
