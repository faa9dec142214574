// The order of the sums of an implicit product. Internal to the kernels.
#pragma once

#include "kernels/hopper/implicit_shape.h"

namespace dactyl::hopper {

// The runs of x of some steps of a tile, in the order of its sums: by taps, then channels. Each is for `shared` taps
// from w on.
class RunWalk {
 public:
  HD RunWalk(const ImplicitShape& s, Taps depth, Steps part) : s_(s), left_(part.count) {
    const int run = quotient(s.by_steps, part.first, step), row = quotient(s.by_across, run, w);
    w *= s.shared;
    d = depth.first + quotient(s.by_height, row, h);
  }
  HD bool more() const { return left_ > 0; }
  HD void next() {
    --left_;
    if (++step < s_.steps) return;
    step = 0;
    if ((w += s_.shared) < s_.window[2]) return;
    w = 0;
    if (++h < s_.window[1]) return;
    h = 0;
    ++d;
  }
  HD int tap() const { return (d * s_.window[1] + h) * s_.window[2] + w; }
  HD int channel() const { return step * step_channels; }
  int d, h, w, step;  // the first tap's place in the window, and which of its channels

 private:
  const ImplicitShape& s_;
  int left_;
};

}  // namespace dactyl::hopper
