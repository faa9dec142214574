// How batch_norm is shared out over clusters of a GPU's blocks: arithmetic of indices, the same on any machine.
#include "kernels/fast/cluster_split.h"

#include <gtest/gtest.h>

#include <array>
#include <vector>

namespace dactyl::fast {
namespace {

constexpr i64 most = 228'768;   // bytes of shared memory that a block of Hopper has beside the kernel's own 3680
constexpr i64 enough = 65'536;  // that a block is given

// How often each pack is visited, all threads of all clusters together.
std::vector<int> visits(const ClusterSplit& s) {
  std::vector<int> count(static_cast<std::size_t>(s.rows) * static_cast<std::size_t>(s.packs));
  for (int group = 0; group < s.groups(); ++group)
    for (int rank = 0; rank < ClusterSplit::blocks; ++rank)
      for (int thread = 0; thread < ClusterSplit::threads; ++thread) {
        const ClusterPart part(s, group, rank, thread);
        EXPECT_LE(part.count, s.depth());
        for (int k = 0; k < part.count; ++k) ++count.at(static_cast<std::size_t>(part.at(k) * s.packs + part.pack));
      }
  return count;
}

}  // namespace

TEST(ClusterSplit, every_pack_has_one_thread) {
  for (const int rows : {2, 7, 8, 9, 147, 980, 1176, 7840, 10007})
    for (const int packs : {1, 2, 3, 9, 24, 60})
      for (const int across : {2, 4}) {
        const std::vector<int> count = visits({rows, packs, across});
        EXPECT_EQ(std::count(count.begin(), count.end(), 1), std::ssize(count))
            << rows << " " << packs << " " << across;
      }
}

TEST(ClusterSplit, memory_holds_the_busiest_thread_and_no_more) {
  EXPECT_EQ((ClusterSplit{7840, 24, 2}.bytes(1)), 8 * 256 * 16);  // 980 rows a block, 128 threads down
  EXPECT_EQ((ClusterSplit{8 * 128, 24, 2}.bytes(2)), 2 * 256 * 16);
  EXPECT_EQ((ClusterSplit{8 * 128 + 1, 24, 2}.bytes(2)), 2 * 2 * 256 * 16);
  for (const int tensors : {1, 2}) {
    const i64 rows = enough / (4096 * tensors) * 128 * 8;
    ASSERT_TRUE(share_over_clusters(rows, 12, tensors, most));
    EXPECT_EQ(share_over_clusters(rows, 12, tensors, most)->bytes(tensors), enough);
    EXPECT_FALSE(share_over_clusters(rows + 1, 12, tensors, most)) << tensors;
    EXPECT_FALSE(share_over_clusters(rows, 12, tensors, enough - 1)) << "a GPU with less";
  }
}

TEST(ClusterSplit, narrow_groups_for_few_channels_wide_ones_for_many) {
  EXPECT_EQ(share_over_clusters(7840, 24, 1, most)->groups(), 12);
  EXPECT_EQ(share_over_clusters(7840, 60, 1, most)->across, 2);
  EXPECT_EQ(share_over_clusters(7840, 64, 1, most)->groups(), 16);
  EXPECT_EQ(share_over_clusters(16'384, 64, 1, most)->across, 2) << "four packs of 16384 rows are too much";
  EXPECT_EQ(share_over_clusters(2, 1, 1, most)->groups(), 1);
  EXPECT_FALSE(share_over_clusters(i64{1} << 40, 12, 1, most)) << "numbers that no int holds";
}

// The steps of a warp's sum as its lanes take them: halves are exchanged, then whole sums. Every lane of a column
// starts with 1 for each channel of its pack, so that the sum counts lanes, in a digit per column and channel.
TEST(ClusterSplit, a_lane_ends_with_the_channel_it_is_said_to) {
  for (const int across : {2, 4})
    for (const int size : {4, 8}) {
      using Sums = std::array<std::vector<int>, 8>;  // for each channel a lane carries: the lanes counted, per channel
      std::array<Sums, 32> lanes;
      for (int l = 0; l < 32; ++l)
        for (int i = 0; i < size; ++i) {
          auto& sum = lanes[static_cast<std::size_t>(l)][static_cast<std::size_t>(i)];
          sum.assign(static_cast<std::size_t>(across * size), 0);
          sum[static_cast<std::size_t>(l % across * size + i)] = 1;
        }
      const auto add = [](std::vector<int>& to, const std::vector<int>& from) {
        for (std::size_t i = 0; i < to.size(); ++i) to[i] += from[i];
      };
      int mask = across;
      for (int left = size; left > 1; left /= 2, mask *= 2) {
        const std::array<Sums, 32> before = lanes;
        for (std::size_t l = 0; l < 32; ++l)
          for (std::size_t i = 0; i < static_cast<std::size_t>(left / 2); ++i) {
            const std::size_t mine = i + (l & static_cast<std::size_t>(mask) ? static_cast<std::size_t>(left / 2) : 0);
            lanes[l][i] = before[l][mine];
            add(lanes[l][i], before[l ^ static_cast<std::size_t>(mask)][mine]);
          }
      }
      for (; mask < 32; mask *= 2) {
        const std::array<Sums, 32> before = lanes;
        for (std::size_t l = 0; l < 32; ++l) add(lanes[l][0], before[l ^ static_cast<std::size_t>(mask)][0]);
      }
      for (int l = 0; l < across * size; ++l) {
        std::vector<int> want(static_cast<std::size_t>(across * size), 0);
        want[static_cast<std::size_t>(channel_of_lane(l, across, size))] = 32 / across;
        EXPECT_EQ(lanes[static_cast<std::size_t>(l)][0], want) << "lane " << l << " of " << across << "×" << size;
      }
    }
}

}  // namespace dactyl::fast
