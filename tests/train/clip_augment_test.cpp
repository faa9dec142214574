// A clip is changed as one, and its flow with it.
#include <cmath>

#include "tests/train/clips.h"
#include "train/data/augment.h"

namespace dactyl {
namespace {

TEST(ClipAugment, EveryFrameInTheSameWay) {
  const AugmentOptions options = parse_augment("zoom=0.3,rotate=25");
  const Clip clip = cornered_clip(5);
  const Clip changed = augmented(options, clip, 1, 2, 3);
  ASSERT_EQ(changed.rgb.size(), clip.rgb.size());
  EXPECT_NE(changed.rgb, clip.rgb);
  for (int f = 0; f < 5; ++f) EXPECT_EQ(picture(changed, f).rgb, augmented(options, picture(clip, 0), 1, 2, 3).rgb);
  EXPECT_EQ(augmented(parse_augment("reflect-x"), clip, 1, 2, 3).rgb, clip.rgb);
  EXPECT_EQ(repeated({1, 2, 1, 0, 1, 1, 0, 0}, 3), (std::vector<Geometry>(3, {1, 2, 1, 0, 1, 1, 0, 0})));
}

TEST(ClipAugment, AMirrorNegatesUAlone) {
  const Geometry mirrored = {4, 7, 1, 9, 1.2f, 0.8f, 0, 0};
  const FlowChange change = flow_change({}, mirrored, 1, 0, 0);
  EXPECT_EQ(change.a, -1);
  EXPECT_EQ(change.b, 0);
  EXPECT_EQ(change.c, 0);
  EXPECT_EQ(change.d, 1);
  EXPECT_EQ(change.geometry, (Geometry{4, 7, 1, 0, 1, 1, 0, 0}));  // moved alike, its numbers are no colours
}

// Where the bright spot of a picture lies.
std::pair<double, double> spot(const Image& image, bool mirrored) {
  double sum = 0, x = 0, y = 0;
  for (int row = 0; row < image.height; ++row)
    for (int column = 0; column < image.width; ++column) {
      const double v = *pixel(image, row, mirrored ? image.width - 1 - column : column);
      sum += v, x += v * column, y += v * row;
    }
  return {x / sum, y / sum};
}

Image spot_at(double x, double y) {
  Image image = plain_picture(121, 121, 0);
  for (int row = 0; row < 121; ++row)
    for (int column = 0; column < 121; ++column) {
      const double v = 250 * std::exp(-((column - x) * (column - x) + (row - y) * (row - y)) / 18);
      for (std::size_t c = 0; c < 3; ++c)
        image.rgb[3 * static_cast<std::size_t>(row * 121 + column) + c] = static_cast<std::uint8_t>(v);
    }
  return image;
}

// A spot that moves from one frame to the next: how far it moves after the change is what the matrix says.
TEST(ClipAugment, FlowFollowsWhatIsSeen) {
  const AugmentOptions options = parse_augment("zoom=0.3,rotate=40");
  for (i64 sample = 0; sample < 12; ++sample) {
    const bool mirrored = sample % 2;
    const double u = 9 - 1.5 * static_cast<double>(sample), v = 4 + static_cast<double>(sample);
    const auto [x0, y0] = spot(augmented(options, spot_at(55, 58), 1, 0, sample), mirrored);
    const auto [x1, y1] = spot(augmented(options, spot_at(55 + u, 58 + v), 1, 0, sample), mirrored);
    const FlowChange change = flow_change(options, {0, 0, mirrored ? 1.0f : 0.0f, 0, 1, 1, 0, 0}, 1, 0, sample);
    EXPECT_NEAR(x1 - x0, change.a * u + change.b * v, 0.1) << sample;
    EXPECT_NEAR(y1 - y0, change.c * u + change.d * v, 0.1) << sample;
  }
}

}  // namespace
}  // namespace dactyl
