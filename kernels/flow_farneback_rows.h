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
// A row of five planes as records of 8 numbers per pixel, of which the first five count.
inline constexpr i64 record = 8;
void record_row(const float* planes, i64 plane, i64 width, float* records);
// Rows begin to end of the five planes of the normal equations. `first`, `flow` and `m` are a pair's, `second` its
// records; one more row and two more records may be read, whatever they hold.
void equations_rows(const float* first, const float* second, i64 height, i64 width, i64 begin, i64 end,
                    const float* flow, float* m);
// The flow of rows begin to end, from a pair's planes m. The column sums run from row to row.
void solve_rows(const WindowSum& window, const float* m, i64 height, i64 width, i64 begin, i64 end, float* flow);

}  // namespace dactyl::farneback
