// Which of a picture's rows and columns make those of the prepared one, and how much of each.
#pragma once

#include <cstdint>
#include <vector>

#include "nets/model.h"

namespace dactyl {

// Along one axis, in units of 2^-weight_bits.
struct Taps {
  int width = 0;  // taps per output; unused ones weigh nothing
  std::vector<std::int32_t> first, count;
  std::vector<std::int32_t> weight;  // (outputs, width)

  int begin() const { return first.front(); }
  int end() const { return first.back() + count.back(); }  // of the inputs that are read
};

// Outputs [begin, begin + n) of `from` samples brought to `to`: a triangle around the centre, as wide as the step when
// shrinking with antialias, else two neighbours. At the edges the weights that remain are scaled to sum to 1. Brought
// to their own number, samples stay as they are.
Taps taps_for(int from, int to, int begin, int n, Filter filter);

// What a net wants before its crop: the picture resized to height × width, of this the square of `side` at (top, left).
struct Preparation {
  int height = 0, width = 0, top = 0, left = 0, side = 0;
};
Preparation preparation(int height, int width, const InputSpec& input);

}  // namespace dactyl
