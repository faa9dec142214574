// What the rungs of batch normalisation share. Internal to the ladder.
#pragma once

#include "benchmarks/ladder/block.h"
#include "benchmarks/ladder/rung.h"

namespace dactyl::ladder {

// x and y (rows, channels), gamma and beta (channels).
struct Norm3d {
  int rows, channels;
  float epsilon;
  const bf16* x;
  const float *gamma, *beta;
  bf16* y;

  i64 count() const { return i64{rows} * channels; }
  HD float scale(int channel, float variance) const { return gamma[channel] / std::sqrt(variance + epsilon); }
};

// The rows cut into slices, the channels into groups; a block takes a slice of a group. About a thousand blocks: a few
// for each multiprocessor.
struct Split {
  int groups, slices, slice;

  Split(int rows, int group_count) : groups(group_count) {
    slices = std::max(1, std::min(1024 / groups, rows / 128));
    slice = (rows + slices - 1) / slices;
    slices = (rows + slice - 1) / slice;  // none of them empty
  }
  i64 blocks() const { return i64{groups} * slices; }

  struct Part {
    int group, slice, row, end;
    HD Part(const Split& s, int block, int rows)
        : group(block % s.groups), slice(block / s.groups), row(slice * s.slice) {
      end = row + s.slice < rows ? row + s.slice : rows;
    }
  };
};

std::vector<Rung> packed_norms(const Norm3d&, Device);  // rungs 3 to 5, in batch_norm3d_packs.cu

}  // namespace dactyl::ladder
