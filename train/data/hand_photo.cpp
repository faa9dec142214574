// What a camera makes of the light.
#include "train/data/hand_photo.h"

#include <array>

namespace dactyl::hand {
namespace {

// Linear light to the display's scale (sRGB, by square roots; error below 1/500).
float encode(float x) {
  const float a = root(x), b = root(a), c = root(b);
  return clamp01(0.662002687f * a + 0.684122060f * b - 0.323583601f * c - 0.0225411470f * x);
}

constexpr int steps = 4096;
std::array<float, steps + 1> make_curve() {  // film-like: a soft shoulder above 0.7
  std::array<float, steps + 1> curve;
  for (int i = 0; i <= steps; ++i) {
    const float x = 2 * static_cast<float>(i) / steps;
    curve[static_cast<std::size_t>(i)] = encode(x < 0.7f ? x : 0.7f + (x - 0.7f) / (1 + (x - 0.7f) * 2.2f));
  }
  return curve;
}
float develop(float light) {
  static const std::array<float, steps + 1> curve = make_curve();
  return curve[static_cast<std::size_t>(clamp01(0.5f * light) * steps)];
}

// [w, 1 - 2w, w] along rows, then along columns: a lens slightly out of focus.
void blur(Canvas& canvas, float w) {
  const auto pass = [&](int lines, int length, int next_line, int next) {
    for (int line = 0; line < lines; ++line) {
      Vec* p = canvas.pixels.data() + line * next_line;
      Vec before = p[0];
      for (int i = 0; i < length; ++i, p += next) {
        const Vec here = *p, after = i + 1 < length ? p[next] : here;
        *p = here * (1 - 2 * w) + (before + after) * w;
        before = here;
      }
    }
  };
  pass(canvas.height, canvas.width, canvas.width, 1);
  pass(canvas.width, canvas.height, 1, canvas.width);
}

struct Settings {
  Vec gain;  // exposure and white balance
  float contrast, brightness, saturation, noise;
};

Settings draw_settings(float level, Dice& dice) {
  const float warm = dice.around(0, 0.10f), exposure = dice.uniform(0.75f, 1.2f) / level;
  Settings s;
  s.gain = Vec{1 + warm, 1 + dice.around(0, 0.03f), 1 - warm} * exposure;
  s.contrast = 1 + dice.around(0, 0.18f);
  s.brightness = dice.around(0, 0.06f);
  s.saturation = 1 + dice.around(0.05f, 0.25f);
  s.noise = dice.uniform() * dice.uniform() * 0.06f;
  return s;
}

std::uint8_t quantise(float x) { return static_cast<std::uint8_t>(clamp01(x) * 255 + 0.5f); }

}  // namespace

Image photograph(Canvas canvas, float level, Dice& dice) {
  const Settings s = draw_settings(level, dice);
  if (dice.chance(0.6f)) blur(canvas, dice.uniform(0.03f, 0.25f));
  Image image{canvas.height, canvas.width, std::vector<std::uint8_t>(canvas.pixels.size() * 3)};
  std::uint8_t* out = image.rgb.data();
  for (const Vec& pixel : canvas.pixels) {
    const Vec light = pixel * s.gain;
    const Vec seen{develop(light.x), develop(light.y), develop(light.z)};
    const float grey = 0.30f * seen.x + 0.59f * seen.y + 0.11f * seen.z;
    const std::uint64_t bits = dice.next();
    const auto grain = [&](int shift) { return static_cast<float>((bits >> shift) & 0xffff) * 0x1p-15f - 1; };
    const float common = s.brightness + s.noise * grain(0);
    for (const auto& [value, noise] : {std::pair{seen.x, grain(16)}, {seen.y, grain(32)}, {seen.z, grain(48)}}) {
      const float colour = grey + (value - grey) * s.saturation;
      *out++ = quantise(0.5f + (colour - 0.5f) * s.contrast + common + 0.6f * s.noise * noise);
    }
  }
  return image;
}

}  // namespace dactyl::hand
