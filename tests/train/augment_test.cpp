// Augmentation: reads and prints, stays in its bounds, and depends on (seed, epoch, sample) alone.
#include "train/data/augment.h"

#include <set>

#include "tests/train/pictures.h"

namespace dactyl {
namespace {

std::string refusal(const std::string& text) {
  return error_text(Exit::usage, [&] { parse_augment(text); });
}

TEST(Augment, TextIsReadAndPrinted) {
  for (const std::string text :
       {"none", "reflect-x,shift=30,crop,jitter=0.3,zoom=0.2,rotate=10", "crop,rotate=7.5", "shift=5"})
    EXPECT_EQ(to_text(parse_augment(text)), text);
  EXPECT_EQ(to_text(parse_augment("")), "none");
  EXPECT_EQ(to_text(parse_augment("jitter,shift")), "shift=30,jitter=0.3");
}

TEST(Augment, UnknownWordsAreNamed) {
  EXPECT_NE(refusal("crop,reflect-y").find("\"reflect-y\""), std::string::npos);
  for (const std::string text : {"crop=3", "shift=x", "shift=", "zoom=1.5", "rotate=-3", "crop,", "jitter=0.3x"})
    EXPECT_NE(refusal(text), "") << text;
}

TEST(Augment, CentredIsTheMiddle) {
  InputSpec input;
  EXPECT_EQ(centred(input, 256, 256), (Geometry{16, 16, 0, 0, 1, 1, 0, 0}));
  input.height = input.width = 227;
  EXPECT_EQ(centred(input, 256, 256), (Geometry{14, 14, 0, 0, 1, 1, 0, 0}));
  EXPECT_EQ(augmented({}, input, 256, 256, 1, 2, 3), centred(input, 256, 256));
}

TEST(Augment, TestViewsAreCornersAndCentreEachMirrored) {
  const InputSpec input;
  const auto ten = test_views(10, input, 256, 260);
  ASSERT_EQ(ten.size(), 10u);
  EXPECT_EQ(ten[0], centred(input, 256, 260));
  EXPECT_EQ(ten[1], (Geometry{0, 0, 0, 0, 1, 1, 0, 0}));
  EXPECT_EQ(ten[4], (Geometry{32, 36, 0, 0, 1, 1, 0, 0}));
  EXPECT_EQ(ten[9], (Geometry{32, 36, 1, 0, 1, 1, 0, 0}));
  EXPECT_EQ(test_views(2, input, 256, 256)[1][2], 1);
  EXPECT_EQ(test_views(1, input, 256, 256).size(), 1u);
  EXPECT_NE(error_text(Exit::usage, [&] { test_views(3, input, 256, 256); }).find("--views 3"), std::string::npos);
}

TEST(Augment, EveryChangeStaysInItsBoundsAndReachesThem) {
  const InputSpec input;
  const AugmentOptions options = parse_augment("reflect-x,shift=3,crop,jitter=0.3");
  Geometry low, high;
  low.fill(1e9f);
  high.fill(-1e9f);
  for (i64 sample = 0; sample < 20000; ++sample) {
    const Geometry g = augmented(options, input, 256, 260, 1, 0, sample);
    for (std::size_t i = 0; i < g.size(); ++i) {
      low[i] = std::min(low[i], g[i]);
      high[i] = std::max(high[i], g[i]);
    }
  }
  EXPECT_EQ(low[0], -3);
  EXPECT_EQ(high[0], 35);
  EXPECT_EQ(low[1], -3);
  EXPECT_EQ(high[1], 39);
  EXPECT_EQ(low[2], 0);
  EXPECT_EQ(high[2], 1);
  for (const auto& [i, middle, reach] : {std::tuple{3u, 0.0, 38.4}, {4u, 1.0, 0.3}, {5u, 1.0, 0.3}}) {
    EXPECT_NEAR(low[i], middle - reach, 0.01 * reach);
    EXPECT_NEAR(high[i], middle + reach, 0.01 * reach);
  }
}

TEST(Augment, DependsOnSeedEpochAndSampleAlone) {
  const InputSpec input;
  const AugmentOptions options = parse_augment("shift=30,crop,jitter");
  const auto draw = [&](std::uint64_t seed, i64 epoch, i64 sample) {
    return augmented(options, input, 256, 256, seed, epoch, sample);
  };
  EXPECT_EQ(draw(1, 2, 3), draw(1, 2, 3));
  EXPECT_EQ((std::set<Geometry>{draw(1, 2, 3), draw(2, 2, 3), draw(1, 3, 3), draw(1, 2, 4)}.size()), 4u);
}

TEST(Augment, SwitchingAChangeOffLeavesTheOthers) {
  const InputSpec input;
  const Geometry all = augmented(parse_augment("reflect-x,crop,jitter"), input, 256, 256, 1, 2, 3);
  const Geometry some = augmented(parse_augment("crop,jitter"), input, 256, 256, 1, 2, 3);
  for (const std::size_t i : {0u, 1u, 3u, 4u, 5u}) EXPECT_EQ(all[i], some[i]);
}

TEST(Augment, ZoomAndRotationKeepSizeAndMiddle) {
  const Image image = smooth_picture(65, 65);
  const AugmentOptions options = parse_augment("zoom=0.2,rotate=20");
  Image last = image;
  for (i64 sample = 0; sample < 20; ++sample) {
    const Image changed = augmented(options, image, 1, 0, sample);
    ASSERT_EQ(changed.rgb.size(), image.rgb.size());
    for (int c = 0; c < 3; ++c) EXPECT_EQ(pixel(changed, 32, 32)[c], pixel(image, 32, 32)[c]);
    EXPECT_LT(mean_difference(changed, image), 40);
    EXPECT_EQ(changed.rgb, augmented(options, image, 1, 0, sample).rgb);
    EXPECT_NE(changed.rgb, last.rgb);
    last = changed;
  }
  EXPECT_EQ(augmented({}, image, 1, 0, 0).rgb, image.rgb);
  EXPECT_EQ(augmented(options, plain_picture(30, 40, 9), 1, 0, 0).rgb, plain_picture(30, 40, 9).rgb);
}

}  // namespace
}  // namespace dactyl
