// The transforms of minimal filtering (winograd_maths.h) for a tile and all its channels. Internal to the kernels.
#pragma once

#include "kernels/lanes.h"

namespace dactyl {

enum class Points { two, four, five_taps };  // two or four outputs of three taps, two of five; along one extent
constexpr int outputs_of(Points p) { return p == Points::four ? 4 : 2; }
constexpr int taps_of(Points p) { return p == Points::five_taps ? 5 : 3; }
constexpr int inputs_of(Points p) { return outputs_of(p) + taps_of(p) - 1; }

// A tile is `out` by `out` outputs and `in` by `in` inputs, given by the addresses of its pixels. Transformed, it is
// in·in rows of channels, one in each plane; planes lie `plane` numbers apart. At least 16 channels.
void transform_input(Points, const float* const* x, i64 channels, float* planes, i64 plane);
void transform_output(Points, const float* planes, i64 plane, i64 channels, const float* bias, bool relu,
                      float* const* y);
void transform_output_gradient(Points, const float* const* dy, i64 channels, float* planes, i64 plane);
// Filters of taps by taps, `tap` numbers apart, for up to 16 outputs `step` apart; the other lanes become 0.
void transform_filter(Points, const float* w, i64 tap, i64 step, i64 outputs, float* planes, i64 plane);
void transform_filter_gradient(Points, const float* planes, i64 plane, i64 channels, float* dw, i64 tap);

}  // namespace dactyl
