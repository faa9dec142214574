// Which stems there are kernels for, and who computes what of them.
#include <map>

#include "kernels/hopper/stem.h"
#include "kernels/hopper/stem_blocks.h"
#include "tests/check_op.h"

namespace dactyl::hopper {
namespace {

ConvProblem i3d() {
  ConvProblem p;
  p.dtype = DType::bf16;
  p.batch = 2, p.ins = 3, p.outs = 64;
  p.in = {20, 224, 224}, p.out = {10, 112, 112}, p.kernel = {7, 7, 7}, p.stride = {2, 2, 2};
  p.low = {2, 2, 2}, p.high = {3, 3, 3};
  return p;
}

// Every tile that a tap sees belongs to one block, and all blocks have about the same.
TEST(Stem, blocks_share_the_tiles) {
  ConvProblem p = i3d();
  for (const int depth : {7, 1})
    for (const i64 frames : {20, 1})
      for (const int count : {132, 3}) {
        p.kernel[0] = depth, p.low[0] = depth / 3, p.in[0] = frames, p.out[0] = (frames + 1) / 2;
        const StemShape s(p);
        const StemBlocks blocks(s, count);
        ASSERT_EQ(blocks.first[depth], std::max(count, depth));
        std::map<std::array<int, 5>, int> seen;
        for (int block = 0; block < blocks.first[depth]; ++block) {
          const int tap = blocks.tap(block);
          int tiles = 0;
          TapWalk at(s, tap, block - blocks.first[tap], blocks.count(tap));
          for (; at.more(); at.next(), ++tiles) ++seen[{tap, at.tile.n, at.tile.d, at.tile.row, at.tile.column}];
          const bool whole = frames == 20 && depth == 7 && count == 132;
          EXPECT_NEAR(tiles, 64 * 56 / 132.0, whole ? 6 : s.tiles);
        }
        for (const auto& [tile, times] : seen) EXPECT_EQ(times, 1);
        i64 pairs = 0;
        for (int tap = 0; tap < depth; ++tap)
          for (int d = 0; d < s.out[0]; ++d) pairs += s.has_frame(2 * d - depth / 3 + tap);
        EXPECT_EQ(static_cast<i64>(seen.size()), pairs * s.tiles / s.out[0]);
      }
}

TEST(Stem, is_asked_for_by_shape) {
  const ConvProblem stem = i3d();
  const auto without = [&](auto change) {
    ConvProblem p = stem;
    change(p);
    return is_stem(p);
  };
  EXPECT_TRUE(is_stem(stem));
  EXPECT_FALSE(without([](ConvProblem& p) { p.pass = Pass::data; }));
  EXPECT_FALSE(without([](ConvProblem& p) { p.dtype = DType::f16; }));
  EXPECT_FALSE(without([](ConvProblem& p) { p.ins = 4; }));
  EXPECT_FALSE(without([](ConvProblem& p) { p.outs = 96; }));
  EXPECT_FALSE(without([](ConvProblem& p) { p.kernel[0] = 8; }));
  EXPECT_FALSE(without([](ConvProblem& p) { p.kernel[2] = 11; }));
  EXPECT_FALSE(without([](ConvProblem& p) { p.stride[1] = 4; }));
  EXPECT_FALSE(without([](ConvProblem& p) { p.alignment[2] = 8; }));
  EXPECT_FALSE(without([](ConvProblem& p) { p.batch = i64{1} << 31; }));
}

}  // namespace
}  // namespace dactyl::hopper
