// Matrix products of the host by our own loops: many small ones, whose right side has been laid out for them.
#pragma once

#include "kernels/lanes.h"

namespace dactyl {

// c[r][o] (+)= bias[o] + Σ over taps t and steps k of a[r·a_row + t·a_tap + k·a_step] · b[(t·steps + k)·b_step + o],
// for r < rows and o < 16·vectors. One panel: all its columns are summed up in registers.
struct Product {
  const float* a;
  i64 a_row, a_step, a_tap;
  const float* b;
  i64 b_step;
  float* c;
  i64 c_row;
  i64 rows, taps, steps;
  bool add = false;             // to what is in c
  const float* next = nullptr;  // b of the panel that is multiplied after this one, if it should be fetched meanwhile
  const float* bias = nullptr;  // … a number per column, and then
  bool relu = false;            // max(0, ·), which keeps a NaN
};

constexpr int panel_vectors = 4;
constexpr i64 panel_width = panel_vectors * lanes;

void multiply(const Product& p, int vectors);  // 1 to panel_vectors
bool wide_registers();  // whether this processor has the registers that multiply() is made for (AVX-512)

}  // namespace dactyl
