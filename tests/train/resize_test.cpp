// Resizing: byte for byte what PIL gives, and two taps where OpenCV's convention is asked for.
#include <cmath>

#include "tests/train/pictures.h"

namespace dactyl {
namespace {

std::uint64_t fnv(const ByteVector& bytes) {
  std::uint64_t value = 0xCBF29CE484222325u;
  for (const std::uint8_t byte : bytes) value = (value ^ byte) * 0x100000001B3u;
  return value;
}

struct Golden {
  int height, width, to_height, to_width;
  std::uint64_t sum;
};

// Printed by tests/data/resize_golden.py.
constexpr Golden goldens[] = {
    {37, 53, 16, 20, 0x3c01949d34b02697u},     {37, 53, 64, 90, 0x8152f7ad71873766u},
    {37, 53, 37, 20, 0x85fddc312e16ecf8u},     {37, 53, 100, 53, 0xa88e5d1cd0d1a769u},
    {37, 53, 1, 1, 0x9486e21967855867u},       {1, 1, 5, 3, 0x66e63e7f771ba296u},
    {300, 200, 224, 149, 0xd0f0f07c7975b1e6u}, {200, 200, 256, 256, 0x8965669b0c667577u},
    {150, 900, 20, 256, 0x2d4419865ddd16d7u},
};

TEST(Resize, AntialiasEqualsPil) {
  for (const Golden& g : goldens) {
    const Image image = resized(computed_picture(g.height, g.width), g.to_height, g.to_width, Filter::antialias);
    EXPECT_EQ(image.rgb.size(), static_cast<std::size_t>(g.to_height * g.to_width * 3));
    EXPECT_EQ(fnv(image.rgb), g.sum) << g.height << " x " << g.width << " to " << g.to_height << " x " << g.to_width;
  }
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
