// Products of few places without a GPU: all blocks of all tiles, pack by pack, by the index arithmetic the kernel has.
#include "kernels/hopper/implicit_share.h"
#include "tests/kernels/few_places_cases.h"

namespace dactyl::hopper {
namespace {

float number(const bf16* at, int i) { return float(at[i]); }

// What a block adds to y (places, all outputs).
void add_block(const FewPlacesShape& s, const FewPlacesWork& work, int columns, const bf16* x, const bf16* w,
               std::vector<float>& y) {
  for (int place = work.place; place < std::min(work.place + tile_places, s.places); ++place) {
    const WindowAt window = s.window_of(place);
    for (int k = work.first * step_packs; k < std::min(work.end * step_packs, s.sum); ++k) {
      const PackOfSum p = s.pack_of_sum(k);
      const int pixel = s.pixel(window, p);
      if (pixel < 0) continue;
      const bf16* from = x + i64{pixel} * s.x_pitch() + (work.group * s.packs + p.pack) * 8;
      for (int out = work.out; out < std::min(work.out + columns, s.outs); ++out) {
        const int channel = work.group * s.outs + out;
        const bf16* filter = w + (i64{channel} * s.sum + k) * 8;
        for (int i = 0; i < 8; ++i)
          y[static_cast<std::size_t>(place * s.groups * s.outs + channel)] += number(from, i) * number(filter, i);
      }
    }
  }
}

TEST(FewPlaces, all_blocks_together_are_the_convolution) {
  for (const FewPlacesCase& c : few_places_cases) {
    const WantedFewPlaces want(c, false);
    ASSERT_TRUE(is_few_places(want.problem)) << to_text(want.problem);
    const FewPlacesShape s(want.problem);
    for (const FewPlacesTile& tile : {FewPlacesTile{32, 1}, FewPlacesTile{64, std::min(3, s.steps())},
                                      FewPlacesTile{32, std::min(few_places_parts, s.steps())}}) {
      SCOPED_TRACE(to_text(want.problem) + " by " + to_text(tile));
      const FewPlacesGrid grid(s, tile);
      std::vector<float> y(static_cast<std::size_t>(s.places * s.groups * s.outs));
      for (int block = 0; block < grid.tiles * tile.parts; ++block)
        add_block(s, grid.work(block), tile.columns, want.x.data<bf16>(), want.w.data<bf16>(), y);
      expect_close("y", {y.begin(), y.end()}, numbers(want.y), tolerance(DType::bf16));
    }
  }
}

TEST(FewPlaces, every_place_belongs_to_one_block_of_a_cluster) {
  for (int places = 1; places <= tile_places; ++places)
    for (int parts = 1; parts <= few_places_parts; ++parts) {
      const PlaceShares shares(places, parts, Divisor(parts));
      EXPECT_LE(2 * parts * shares.rows, 2 * (tile_places + few_places_parts));
      for (int place = 0; place < places; ++place) {
        EXPECT_EQ(shares.owner(place), place / shares.rows);
        EXPECT_LT(shares.owner(place), parts);
      }
    }
}

TEST(FewPlaces, rows_of_shared_memory_lie_in_all_banks) {
  using M = FewPlacesMemory<32>;
  for (int column = 0; column < step_packs; ++column) {
    std::uint32_t banks = 0;  // of eight rows, whose packs of a column are read together
    for (int row = 0; row < 8; ++row) banks |= 15u << M::at(row, column) / 4 % 32;
    EXPECT_EQ(banks, ~0u);
  }
}

TEST(FewPlaces, what_does_not_suit_is_declined) {
  const ConvProblem good = WantedFewPlaces(few_places_cases.front(), false).problem;
  const auto with = [&](const auto& change) {
    ConvProblem p = good;
    change(p);
    return is_few_places(p);
  };
  EXPECT_TRUE(with([](ConvProblem&) {}));
  EXPECT_FALSE(with([](ConvProblem& p) { p.dtype = DType::f16; }));
  EXPECT_FALSE(with([](ConvProblem& p) { p.pass = Pass::data; }));
  EXPECT_FALSE(with([](ConvProblem& p) { p.ins = 12; }));
  EXPECT_FALSE(with([](ConvProblem& p) { p.outs = 20; }));
  EXPECT_FALSE(with([](ConvProblem& p) { p.into = 300; }));
  EXPECT_FALSE(with([](ConvProblem& p) { p.alignment[0] = 8; }));
  EXPECT_FALSE(with([](ConvProblem& p) { p.batch = 128; }));
  EXPECT_FALSE(with([](ConvProblem& p) { p.stride[2] = i64{1} << 40; }));
  EXPECT_FALSE(with([](ConvProblem& p) { p.low[1] = -(i64{1} << 32), p.high[1] = (i64{1} << 32) + 2; }));
}

}  // namespace
}  // namespace dactyl::hopper
