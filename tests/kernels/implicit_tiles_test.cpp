// Which tiles an implicit product is cut into, who has what of them, and whether they fit.
#include "kernels/hopper/implicit_choice.h"
#include "kernels/hopper/implicit_share.h"
#include "tests/kernels/implicit_cases.h"
#include "tests/kernels/implicit_layer.h"

namespace dactyl::hopper {
namespace {

TEST(ImplicitTiles, places_are_shared_out_in_order) {
  for (int parts = 2; parts <= most_parts; ++parts)
    for (int places = 1; places <= 128; ++places) {
      const PlaceShares shares(places, parts, Divisor(parts));
      EXPECT_GE(shares.rows * parts, places);
      EXPECT_LE(shares.rows * parts, 128 + most_parts);
      for (int place = 0; place < places; ++place) ASSERT_EQ(shares.owner(place), place / shares.rows);
    }
}

TEST(ImplicitTiles, single_pictures_get_small_tiles) {
  ConvProblem p;
  p.groups = 2, p.ins = 192, p.outs = 384;
  p.in = p.out = {1, 13, 13}, p.kernel = {1, 3, 3}, p.low = p.high = {0, 1, 1};
  const std::vector<ImplicitTile> tiles = implicit_tiles(p, 132);
  EXPECT_EQ(std::find_if(tiles.begin(), tiles.end(), [](auto& t) { return t.parts == 1; })->columns, 32);
  EXPECT_EQ(std::count(tiles.begin(), tiles.end(), ImplicitTile{1, 32, true, 5}), 1) << "24 tiles, 132 processors";
}

TEST(ImplicitTiles, tiles_are_chosen_by_shape) {
  const auto best = [](i64 ins, i64 outs, std::array<i64, 3> extents) {
    ConvProblem p = i3d_layer();
    p.ins = ins, p.outs = outs, p.in = p.out = extents;
    return implicit_tiles(p, 132).front();
  };
  EXPECT_EQ(to_text(best(64, 192, {10, 56, 56})), "256x192 by rows");
  EXPECT_EQ(best(192, 64, {10, 56, 56}).columns, 64);
  EXPECT_LE(best(16, 32, {10, 28, 28}).columns, 32);
  EXPECT_LT(best(192, 384, {3, 7, 7}).columns, 192) << "too few tiles for all processors";
  const ConvProblem p = i3d_layer();
  EXPECT_EQ(implicit_tiles(p, 132).size(), 28u);
  for (const ImplicitTile& t : implicit_tiles(p, 132))
    EXPECT_GE(i64{TileGrid(ImplicitShape(p, t.rows), t).count} * t.places() * t.columns, p.y_count());
}

template <int blocks, int columns>
void check_memory() {
  using M = TileMemory<blocks, columns>;
  EXPECT_LE(M::bytes, (227 << 10) - 2048);
  EXPECT_GE(M::filters, 4);
  EXPECT_EQ(M::run_bytes % 1024, 0) << "the swizzle counts rows from multiples of eight";
  EXPECT_EQ(M::filter_bytes % 1024, 0);
}

TEST(ImplicitTiles, rings_fit_into_shared_memory) {
  check_memory<2, 192>();
  check_memory<2, 112>();
  check_memory<1, 192>();
  check_memory<1, 64>();
  check_memory<1, 32>();
}

TEST(ImplicitTiles, filters_stay_where_each_has_a_stage) {
  const auto stay = [](i64 ins, i64 outs, i64 kernel, int columns, int blocks) {
    ConvProblem p;
    p.batch = 128, p.ins = ins, p.outs = outs, p.in = p.out = {1, 56, 56};
    p.kernel = {1, kernel, kernel}, p.low = p.high = {0, kernel / 2, kernel / 2};
    const ImplicitShape s(p, true);
    return TileGrid(s, {2, columns, true}).filters_stay(s, blocks);
  };
  EXPECT_TRUE(stay(48, 96, 3, 96, 132));
  EXPECT_TRUE(stay(64, 192, 3, 96, 132)) << "every second tile has the same outputs, and so has every block";
  EXPECT_FALSE(stay(64, 192, 3, 96, 131));
  EXPECT_FALSE(stay(64, 192, 3, 192, 132)) << "five stages for nine filters";
  EXPECT_FALSE(stay(128, 96, 3, 96, 132)) << "two steps of each tap";
  EXPECT_FALSE(stay(64, 32, 5, 32, 132)) << "25 taps";
}

}  // namespace
}  // namespace dactyl::hopper
