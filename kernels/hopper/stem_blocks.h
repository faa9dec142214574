// Which block computes what of the weights' gradient. Internal to the kernels.
#pragma once

#include <algorithm>

#include "kernels/hopper/stem_shape.h"

namespace dactyl::hopper {

// Each block has one tap along the depth, and takes turns through the tiles with the others of that tap. A tap has
// blocks in proportion to the frames it sees: so all taps move through the batch side by side, and dy, which all of
// them read, comes from the second-level cache six times of seven.
struct StemBlocks {
  int first[8] = {};  // of each tap, and the end

  StemBlocks(const StemShape& s, int blocks) {
    int seen[7] = {}, all = 0;
    for (int tap = 0; tap < s.depth; ++tap)
      for (int d = 0; d < s.out[0]; ++d) seen[tap] = all += s.has_frame(s.frame({0, d, 0, 0}, tap));
    const i64 spare = std::max(blocks, s.depth) - s.depth;  // one is everybody's
    for (int tap = 0; tap <= s.depth; ++tap)
      first[tap] = tap + (tap == 0 ? 0 : static_cast<int>(spare * seen[tap - 1] / std::max(all, 1)));
  }
  HD int tap(int block) const {
    int tap = 0;
    while (block >= first[tap + 1]) ++tap;
    return tap;
  }
  HD int count(int tap) const { return first[tap + 1] - first[tap]; }
};

}  // namespace dactyl::hopper
