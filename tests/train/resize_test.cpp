// Resizing: the triangle filter in doubles rounded once, PIL within one step, two taps where OpenCV's convention is
// asked for.
#include <cmath>

#include "tests/train/pictures.h"

namespace dactyl {
namespace {

// The antialiasing triangle filter in doubles: what the input pixel k weighs in output i of `to`.
std::vector<double> triangle_weights(int from, int to, int i) {
  const double step = static_cast<double>(from) / to, centre = (i + 0.5) * step;
  std::vector<double> weights;
  double sum = 0;
  for (int k = 0; k < from; ++k)
    sum += weights.emplace_back(std::max(0.0, 1 - std::abs(k + 0.5 - centre) / std::max(step, 1.0)));
  for (double& w : weights) w /= sum;
  return weights;
}

double filtered(const Image& image, const std::vector<double>& down, const std::vector<double>& across, int c) {
  double sum = 0;
  for (int y = 0; y < image.height; ++y)
    for (int x = 0; x < image.width; ++x)
      sum += down[static_cast<std::size_t>(y)] * across[static_cast<std::size_t>(x)] * pixel(image, y, x)[c];
  return sum;
}

TEST(Resize, AntialiasIsTheTriangleFilterRoundedOnce) {
  constexpr int sizes[][4] = {{37, 53, 16, 20}, {37, 53, 64, 90}, {37, 53, 37, 20}, {37, 53, 100, 53},
                              {37, 53, 1, 1},   {1, 1, 5, 3},     {90, 30, 7, 60},  {20, 300, 10, 9}};
  for (const auto& [from_h, from_w, h, w] : sizes) {
    const Image image = computed_picture(from_h, from_w), small = resized(image, h, w, Filter::antialias);
    for (int y = 0; y < h; ++y) {
      const auto down = triangle_weights(from_h, h, y);
      for (int x = 0; x < w; ++x) {
        const auto across = triangle_weights(from_w, w, x);
        for (int c = 0; c < 3; ++c)
          ASSERT_NEAR(pixel(small, y, x)[c], filtered(image, down, across, c), 0.52)
              << from_h << " x " << from_w << " to " << h << " x " << w << " at " << y << ", " << x;
      }
    }
  }
}

TEST(Resize, WhiteStaysWhiteAndBlackBlack) {
  for (const std::uint8_t value : {0, 255}) {
    const Image image = resized(plain_picture(61, 47, value), 13, 90, Filter::antialias);
    EXPECT_EQ(image.rgb, ByteVector(image.rgb.size(), value));
  }
}

TEST(Resize, AntialiasIsWithinAStepOfPil) {
  // Printed by tests/data/resize_golden.py: PIL's bytes of the picture at 37 × 53 brought to 4 × 5.
  constexpr int golden[] = {126, 135, 130, 126, 115, 111, 107, 113, 131, 133, 136, 137, 141, 131, 126,
                            113, 114, 117, 119, 130, 141, 142, 148, 134, 129, 122, 118, 109, 112, 129,
                            137, 139, 137, 135, 126, 121, 113, 113, 112, 122, 131, 137, 142, 137, 138,
                            132, 123, 113, 113, 114, 127, 126, 129, 133, 134, 130, 120, 115, 110, 112};
  const Image image = resized(computed_picture(37, 53), 4, 5, Filter::antialias);
  ASSERT_EQ(image.rgb.size(), std::size(golden));
  for (std::size_t i = 0; i < image.rgb.size(); ++i) EXPECT_NEAR(image.rgb[i], golden[i], 1) << i;
}

// The two-tap convention in floating point: source = (i + 0.5)·scale − 0.5, edges repeated.
double two_taps(const Image& image, double y, double x, int c) {
  const auto at = [&](double row, double column) {
    return static_cast<double>(pixel(image, std::clamp(static_cast<int>(row), 0, image.height - 1),
                                     std::clamp(static_cast<int>(column), 0, image.width - 1))[c]);
  };
  const double top = std::floor(y), left = std::floor(x), v = y - top, u = x - left;
  return (1 - v) * ((1 - u) * at(top, left) + u * at(top, left + 1)) +
         v * ((1 - u) * at(top + 1, left) + u * at(top + 1, left + 1));
}

TEST(Resize, BilinearTakesTwoTaps) {
  const Image image = computed_picture(61, 47);
  for (const auto& [h, w] : {std::pair{20, 16}, {122, 90}, {61, 30}, {7, 200}}) {
    const Image small = resized(image, h, w, Filter::bilinear);
    for (int y = 0; y < h; ++y)
      for (int x = 0; x < w; ++x)
        for (int c = 0; c < 3; ++c)
          ASSERT_NEAR(pixel(small, y, x)[c], two_taps(image, (y + 0.5) * 61 / h - 0.5, (x + 0.5) * 47 / w - 0.5, c),
                      1.0);
  }
}

TEST(Resize, PreparedIsResizeThenCentre) {
  InputSpec input;
  for (const auto& [h, w] : {std::pair{300, 401}, {401, 300}, {100, 100}, {256, 256}, {40, 1000}}) {
    const Image image = computed_picture(h, w);
    const int shorter = std::min(h, w), height = 256 * h / shorter, width = 256 * w / shorter;
    const auto centre = [](int all) { return static_cast<int>(std::nearbyint((all - 256) / 2.0)); };
    const Image whole = resized(image, height, width, Filter::antialias);
    EXPECT_EQ(prepared(image, input).rgb, cropped(whole, centre(height), centre(width), 256, 256).rgb);
  }
  input.resize = Resize::warp;
  input.resize_to = 100;  // smaller than the crop of 224
  EXPECT_EQ(prepared(computed_picture(300, 401), input).rgb,
            resized(computed_picture(300, 401), 224, 224, Filter::antialias).rgb);
}

}  // namespace
}  // namespace dactyl
