// Rows of packs shared out over clusters of blocks that keep what they read. A cluster takes a group of neighbouring
// packs and all rows; each of its blocks a slice of the rows, each thread a column of packs in its slice. A thread's
// packs have places of their own in the block's shared memory, side by side with the other threads' (no bank twice), so
// no thread waits for another before it reads them.
#pragma once

#include <algorithm>
#include <optional>

#include "engine/dtype.h"

namespace dactyl::fast {

struct ClusterSplit {
  static constexpr int blocks = 8, threads = 256;  // of a cluster; of a block
  static constexpr int most_across = 4;            // packs of a group

  int rows, packs, across;

  HD int groups() const { return (packs + across - 1) / across; }
  HD int step() const { return threads / across; }                                       // from a row to the next
  HD int depth() const { return ((rows + blocks - 1) / blocks + step() - 1) / step(); }  // a thread's rows, at most
  HD i64 bytes(int tensors) const { return i64{16} * threads * depth() * tensors; }      // of a block
};

// What one thread does: rows row, row + step, …, `count` of them, of one pack.
struct ClusterPart {
  int pack, row, step, count;

  HD ClusterPart(const ClusterSplit& s, int group, int rank, int thread)
      : pack(group * s.across + thread % s.across), row(edge(s, rank) + thread / s.across), step(s.step()) {
    const int end = edge(s, rank + 1);
    count = pack < s.packs && row < end ? (end - row + step - 1) / step : 0;
  }
  HD static int edge(const ClusterSplit& s, int rank) {
    return static_cast<int>(i64{s.rows} * rank / ClusterSplit::blocks);
  }
  HD int at(int k) const { return row + k * step; }
};

// A warp adds up its threads' columns in steps that halve what each lane still carries (fold_warp); afterwards lane l <
// across · size carries this channel of the group. size: channels of a pack.
HD inline int channel_of_lane(int lane, int across, int size) {
  int channel = lane % across * size;
  for (int half = size / 2, mask = across; half > 0; half /= 2, mask *= 2)
    if (lane & mask) channel += half;
  return channel;
}

// `tensors` have to be kept in `most` bytes per block. None if they do not fit, or if two launches that read twice are
// expected to be faster: with more than 64 KiB the few threads of a block have too much to add up. On an H100 a way back
// over 200 KiB took 35 µs where two launches take 21, over 50 KiB 14 instead of 16. Narrow groups fill the GPU with few
// channels, wide ones read longer pieces of rows; two packs are a whole sector of 32 bytes.
inline std::optional<ClusterSplit> share_over_clusters(i64 rows, i64 packs, int tensors, i64 most) {
  if (rows >= 1 << 24 || packs >= 1 << 24) return {};
  for (const int across : {4, 2}) {
    const ClusterSplit s{static_cast<int>(rows), static_cast<int>(packs), across};
    const bool fills = across == 2 || s.groups() >= 16;  // 16 clusters of 8 blocks: nearly all of 132 processors
    if (fills && s.bytes(tensors) <= std::min<i64>(most, 64 * 1024)) return s;
  }
  return {};
}

}  // namespace dactyl::fast
