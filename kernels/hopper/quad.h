// Four neighbouring lanes exchange words, so that each has 16 bytes of one row. Internal to the kernels.
#pragma once

#include "engine/dtype.h"

namespace dactyl::hopper {

// Lane q has word q of four packs, and wants the four words of pack q. In two rounds, `by` 1 and 2, for each i without
// that bit, it sends a word to lane q xor `by` and puts what it gets from there into the same place.
using Words4 = std::uint32_t[4];
HD inline std::uint32_t sent(const Words4& v, int lane, int by, int i) { return lane & by ? v[i] : v[i + by]; }
HD inline void take(Words4& v, int lane, int by, int i, std::uint32_t got) {
  v[i] = lane & by ? got : v[i];
  v[i + by] = lane & by ? v[i + by] : got;
}

#ifdef __CUDACC__
__device__ inline void turn_quad(Words4& v, int lane) {
#pragma unroll
  for (int by = 1; by <= 2; ++by)
#pragma unroll
    for (int i = 0; i < 4; ++i)
      if (!(i & by)) take(v, lane, by, i, __shfl_xor_sync(~0u, sent(v, lane, by, i), by));
}
#endif

}  // namespace dactyl::hopper
