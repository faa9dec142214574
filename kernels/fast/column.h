// A few numbers per channel, as a thread with a pack of channels needs them.
#pragma once

#include "engine/pack.h"

namespace dactyl::fast {

// One f32 of each channel of a pack; `from` lies on a 16-byte boundary. size: 4 or 8.
template <int size>
struct Column {
  float v[size];

  HD explicit Column(const float* from, float factor = 1) {
    for (int i = 0; i < size; i += 4) {
      const Pack<float> four = Pack<float>::load(from + i);
      for (int j = 0; j < 4; ++j) v[i + j] = four.v[j] * factor;
    }
  }
};

}  // namespace dactyl::fast
