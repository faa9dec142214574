// TV-L1: when a warp's iterations end. Internal to the kernels.
#pragma once

#include "engine/dtype.h"

namespace dactyl::tvl1 {

// The same sums lead to the same decision, wherever they were added up.
struct Rule {
  int warps, iterations, rounds, median;
  bool every;
  double bound;  // ε²·pixels; 0: all iterations are made
};

class Progress {
 public:
  HD bool wants_change(const Rule& r) const { return r.bound > 0 && (r.every || (n_ % 2 == 1 && last_ < r.bound)); }
  HD bool filters(const Rule& r) const { return r.median > 1 && n_ % r.iterations == 0; }
  HD bool round_ends(const Rule& r) const { return (n_ + 1) % r.iterations == 0; }
  HD bool done() const { return done_; }
  // An iteration was made; `change` is the squared change of u and v, if it was wanted.
  HD void advance(const Rule& r, double change) {
    if (wants_change(r)) {
      last_ = change;
      done_ = !(change > r.bound);
    } else {
      last_ -= r.bound;
    }
    if (++n_ >= r.iterations * r.rounds) done_ = true;
  }

 private:
  double last_ = 0;
  int n_ = 0;
  bool done_ = false;
};

}  // namespace dactyl::tvl1
