// Σ exp(x) in one pass without overflow: the largest x so far, and the sum relative to it.
#pragma once

#include <cmath>

#include "engine/dtype.h"

namespace dactyl {

// Merging in any order gives the same sum up to rounding (Milakov and Gimelshein 2018). −∞ counts as exp = 0; NaN
// stays.
template <class C>
struct ExpSum {
  C largest = -INFINITY;
  C sum = 0;

  HD ExpSum& operator+=(const ExpSum& o) {
    if (o.sum == 0) return *this;
    if (o.largest > largest) {
      sum = sum * std::exp(largest - o.largest) + o.sum;
      largest = o.largest;
    } else if (o.largest == largest) {
      sum += o.sum;
    } else {
      sum += o.sum * std::exp(o.largest - largest);
    }
    return *this;
  }
};

}  // namespace dactyl
