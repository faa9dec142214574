// Which block of a cluster finishes which places of a tile. Internal to the kernels.
#pragma once

#include "kernels/hopper/implicit_shape.h"

namespace dactyl::hopper {

// So many places of at most 128 in order: `rows` each, the last ones fewer.
struct PlaceShares {
  int places, rows;
  HD PlaceShares(int count, int blocks, const Divisor& by_blocks)
      : places(count), rows(quotient(by_blocks, count + blocks - 1)), inverse_((65536 + rows - 1) / rows) {}
  HD int owner(int place) const { return place * inverse_ >> 16; }  // place / rows

 private:
  int inverse_;
};

}  // namespace dactyl::hopper
