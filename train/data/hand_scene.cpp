// What is behind a hand. Painted at half the resolution and enlarged: a photographer focuses on the hand.
#include "train/data/hand_scene.h"

namespace dactyl::hand {
namespace {

// A soft-edged rectangle or ellipse; lengths in picture heights, centre from the picture's middle.
struct Patch {
  Vec colour;
  float x, y, half_width, half_height, cosine_of_tilt, sine_of_tilt, softness;
  bool round;
};

float cover(const Patch& p, float x, float y) {
  const float dx = x - p.x, dy = y - p.y;
  const float u = absolute(dx * p.cosine_of_tilt + dy * p.sine_of_tilt) / p.half_width;
  const float v = absolute(dy * p.cosine_of_tilt - dx * p.sine_of_tilt) / p.half_height;
  if (p.round) return smooth(0.5f + (1 - root(u * u + v * v)) * minimum(p.half_width, p.half_height) / p.softness);
  return smooth(0.5f + (1 - u) * p.half_width / p.softness) * smooth(0.5f + (1 - v) * p.half_height / p.softness);
}

// All a background is made of, from back to front.
struct Backdrop {
  Vec from, to;            // a gradient across the picture
  float along_x, along_y;  // its direction
  std::vector<Patch> patches;
  float grain = 0, grain_x = 4, grain_y = 4;  // texture: strength, bumps per picture height
  float vignette = 0;
  std::uint32_t texture = 0;
};

Patch rectangle(Vec colour, float x, float y, float half_width, float half_height, float softness, float tilt = 0) {
  return {colour, x, y, half_width, half_height, cosine(tilt), sine(tilt), softness, false};
}

Backdrop gradient(Dice& dice, float vivid, float contrast) {
  Backdrop b;
  b.from = paint_colour(dice, vivid);
  b.to = mix(b.from, paint_colour(dice, vivid), contrast);
  const float angle = dice.uniform(0, 360);
  b.along_x = cosine(angle), b.along_y = sine(angle);
  b.vignette = dice.uniform(0, 0.35f);
  b.texture = static_cast<std::uint32_t>(dice.next());
  b.grain = dice.uniform(0, 0.08f);
  return b;
}

Backdrop texture(Dice& dice) {
  Backdrop b = gradient(dice, 0.5f, 0.5f);
  b.grain = dice.uniform(0.15f, 0.55f);
  b.grain_x = dice.uniform(2, 14);
  b.grain_y = dice.chance(0.4f) ? b.grain_x * 0.15f : b.grain_x;  // grain of wood, folds of a curtain
  if (dice.chance(0.5f)) std::swap(b.grain_x, b.grain_y);
  return b;
}

Backdrop clutter(Dice& dice) {
  Backdrop b = gradient(dice, 0.6f, 0.7f);
  const float softness = dice.uniform(0.03f, 0.25f);
  for (int i = 6 + dice.below(12); i > 0; --i) {
    Patch p = rectangle(paint_colour(dice, 0.8f), dice.uniform(-0.7f, 0.7f), dice.uniform(-0.6f, 0.6f),
                        dice.uniform(0.03f, 0.30f), dice.uniform(0.03f, 0.30f), softness, dice.uniform(-90, 90));
    p.round = dice.chance(0.4f);
    b.patches.push_back(p);
  }
  return b;
}

// A wall over a floor or table, with a window, door, pictures, shelves.
Backdrop room(Dice& dice) {
  Backdrop b = gradient(dice, 0.25f, 0.3f);
  const float softness = dice.uniform(0.008f, 0.06f), horizon = dice.uniform(0.1f, 0.6f), lean = dice.around(0, 6);
  for (int i = 1 + dice.below(4); i > 0; --i) {
    const float x = dice.uniform(-0.7f, 0.7f), y = dice.uniform(-0.6f, 0.2f), w = dice.uniform(0.08f, 0.3f);
    const float h = dice.uniform(0.08f, 0.45f), frame = dice.uniform(0.01f, 0.03f);
    const bool window = dice.chance(0.35f);
    b.patches.push_back(rectangle(paint_colour(dice, 0.3f), x, y, w + frame, h + frame, softness, lean));
    const Vec inside = window ? Vec{0.75f, 0.85f, 1.0f} : paint_colour(dice, 0.6f);
    b.patches.push_back(rectangle(inside, x, y, w, h, softness, lean));
    if (window) b.patches.push_back(rectangle(b.from, x, y, frame, h, softness, lean));
  }
  for (int i = dice.below(3); i > 0; --i) {  // shelves, rails, door posts
    const bool upright = dice.chance(0.5f);
    b.patches.push_back(rectangle(paint_colour(dice, 0.4f), dice.uniform(-0.6f, 0.6f), dice.uniform(-0.5f, 0.3f),
                                  upright ? 0.02f : 0.8f, upright ? 0.8f : 0.02f, softness, lean));
  }
  b.patches.push_back(rectangle(paint_colour(dice, 0.4f), 0, horizon + 0.5f, 3, 0.5f, softness, lean));
  return b;
}

// Sky above, leaves or grass below, all out of focus.
Backdrop outdoors(Dice& dice) {
  Backdrop b = gradient(dice, 0.3f, 0.3f);
  b.from = Vec{0.30f, 0.45f, 0.75f} * dice.uniform(0.6f, 1.2f), b.to = Vec{0.75f, 0.8f, 0.85f};
  b.along_x = 0, b.along_y = 1;
  b.grain = dice.uniform(0.1f, 0.35f);
  b.grain_x = b.grain_y = dice.uniform(4, 10);
  for (int i = 10 + dice.below(10); i > 0; --i) {
    const Vec leaf = Vec{dice.uniform(0.05f, 0.30f), dice.uniform(0.15f, 0.40f), dice.uniform(0.02f, 0.12f)};
    Patch p = rectangle(leaf, dice.uniform(-0.7f, 0.7f), dice.uniform(-0.2f, 0.6f), dice.uniform(0.08f, 0.3f),
                        dice.uniform(0.06f, 0.2f), 0.16f);
    p.round = true;
    b.patches.push_back(p);
  }
  return b;
}

Backdrop choose(Dice& dice) {
  const float kind = dice.uniform();
  if (kind < 0.16f) return gradient(dice, 0.3f, 0.1f);  // a plain wall
  if (kind < 0.32f) return gradient(dice, 0.8f, 1);
  if (kind < 0.50f) return texture(dice);
  if (kind < 0.70f) return clutter(dice);
  if (kind < 0.90f) return room(dice);
  return outdoors(dice);
}

Vec colour_at(const Backdrop& b, float x, float y) {
  Vec colour = mix(b.from, b.to, smooth(0.5f + 0.75f * (x * b.along_x + y * b.along_y)));
  for (const Patch& p : b.patches) colour = mix(colour, p.colour, cover(p, x, y));
  const float coarse = value_noise({x * b.grain_x, y * b.grain_y, 0.5f}, b.texture);
  const float fine = value_noise({x * b.grain_x * 3.1f, y * b.grain_y * 3.1f, 7.5f}, b.texture);
  return colour * ((1 + b.grain * (coarse + 0.5f * fine)) * (1 - b.vignette * (x * x + y * y)));
}

Canvas enlarged(const Canvas& half, int height, int width) {
  Canvas full{height, width, std::vector<Vec>(static_cast<std::size_t>(height) * static_cast<std::size_t>(width))};
  const auto at = [&](int y, int x) { return half.pixels[static_cast<std::size_t>(y * half.width + x)]; };
  std::size_t i = 0;
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {  // half holds one sample more than needed at the right and below
      const float u = 0.5f * static_cast<float>(x & 1), v = 0.5f * static_cast<float>(y & 1);
      const int r = y / 2, c = x / 2;
      full.pixels[i++] = mix(mix(at(r, c), at(r, c + 1), u), mix(at(r + 1, c), at(r + 1, c + 1), u), v);
    }
  }
  return full;
}

}  // namespace

Vec paint_colour(Dice& dice, float vivid) {
  const float hue = dice.uniform(0, 360), saturation = vivid * dice.uniform() * dice.uniform();
  const float value = dice.uniform(0.08f, 0.95f), lightness = value * value;
  const auto channel = [&](float shift) { return lightness * (1 + saturation * (1.2f * sine(hue + shift) - 0.2f)); };
  return {maximum(channel(0), 0.003f), maximum(channel(120), 0.003f), maximum(channel(240), 0.003f)};
}

Canvas make_background(int height, int width, Dice& dice) {
  const Backdrop backdrop = choose(dice);
  Canvas half{height / 2 + 2, width / 2 + 2, {}};
  half.pixels.reserve(static_cast<std::size_t>(half.height) * static_cast<std::size_t>(half.width));
  const float scale = 2.0f / static_cast<float>(height), ratio = static_cast<float>(width) / static_cast<float>(height);
  for (int y = 0; y < half.height; ++y) {
    for (int x = 0; x < half.width; ++x) {
      const float u = static_cast<float>(x) * scale - 0.5f * ratio, v = static_cast<float>(y) * scale - 0.5f;
      half.pixels.push_back(colour_at(backdrop, u, v));
    }
  }
  return enlarged(half, height, width);
}

}  // namespace dactyl::hand
