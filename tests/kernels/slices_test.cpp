// How batch_norm's rows are shared out over a GPU's blocks: arithmetic of indices, the same on any machine.
#include "kernels/fast/slices.h"

#include <gtest/gtest.h>

#include <vector>

namespace dactyl::fast {
namespace {

// How often each pack is visited, all threads of all blocks together.
std::vector<int> visits(const Slices& s) {
  std::vector<int> count(static_cast<std::size_t>(s.rows) * static_cast<std::size_t>(s.packs));
  for (int group = 0; group < s.groups(); ++group)
    for (int slice = 0; slice < s.count; ++slice)
      for (int thread = 0; thread < Slices::threads; ++thread) {
        const SlicePart part(s, group, slice, thread);
        if (part.any)
          walk(
              part.row, part.end, part.step, [](int row) { return row; },
              [&](int, int row) { ++count.at(static_cast<std::size_t>(row * s.packs + part.pack)); });
      }
  return count;
}

}  // namespace

TEST(Slices, every_pack_has_one_thread) {
  for (const i64 rows : {1, 2, 147, 980, 6272, 7840, 25088, 100'007})
    for (const i64 packs : {1, 2, 3, 7, 16, 26}) {
      const std::vector<int> count = visits(Slices(rows, packs));
      EXPECT_EQ(std::count(count.begin(), count.end(), 1), std::ssize(count)) << rows << " " << packs;
    }
}

TEST(Slices, none_is_empty_and_a_wave_is_filled_where_there_are_rows) {
  for (const i64 rows : {1, 500, 25'088, 401'408, 4'014'080})
    for (const i64 packs : {1, 3, 8, 24, 40}) {
      const Slices s(rows, packs);
      EXPECT_LT(i64{s.length} * (s.count - 1), rows) << "the last slice is empty: " << rows << " " << packs;
      EXPECT_GE(i64{s.length} * s.count, rows) << rows << " " << packs;
      EXPECT_LE(s.count * s.groups(), 4 * (Slices::wave + s.groups())) << rows << " " << packs;
      if (rows > 400'000) {
        EXPECT_GE(s.count * s.groups(), Slices::wave * 95 / 100) << rows << " " << packs;
      }
    }
}

// Tensors that share a launch: as few slices as their groups need together, but none empty, whatever a group is wide.
TEST(Slices, of_several_tensors_fill_a_wave_together) {
  for (const i64 packs : {1, 2, 12, 36})
    for (const int groups : {3, 16, 40}) {
      Slices s(100'352, packs);
      s.share_out(groups, 160);
      EXPECT_LE(s.count, 160);
      EXPECT_LT(i64{s.length} * (s.count - 1), 100'352);
      EXPECT_GE(s.count * groups, std::min(Slices::wave, 160 * groups) * 9 / 10) << packs << " " << groups;
      const std::vector<int> count = visits(s);
      EXPECT_EQ(std::count(count.begin(), count.end(), 1), std::ssize(count)) << packs << " " << groups;
    }
}

TEST(Slices, large_tensors_are_read_64_bytes_at_a_time) {
  EXPECT_EQ(Slices(4'014'080, 8).across, 4);
  EXPECT_EQ(Slices(25'088, 8).across, 2);
  EXPECT_EQ(Slices(25'088, 32).across, 4);
  EXPECT_EQ(Slices(25'088, 1).across, 1);
}

}  // namespace dactyl::fast
