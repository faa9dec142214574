// What a person's skin, nails and sleeve look like at a point of the surface.
#pragma once

#include "train/data/hand_shape.h"

namespace dactyl::hand {

// Colours are linear reflectances, red green blue.
struct Skin {
  Vec back, palm, nail, cloth;
  float mottling = 0.06f, creases = 1, gloss = 0.1f;
  std::uint32_t texture = 0;  // seed of the mottling
};

struct Material {
  Vec albedo;
  float gloss;  // strength of the highlight
};

// One of a range of people: `melanin` 0 (very light) .. 1 (very dark).
Skin make_skin(float melanin, Dice& dice);

// `point` and `normal` in the coordinates of the skeleton that `bone` belongs to, `hand` its frame at the wrist.
Material material(const Skin& skin, const Bone& bone, const Frame& hand, const Vec& point, const Vec& normal);

// Smooth noise in [-1, 1] of a point, one bump per unit.
float value_noise(const Vec& p, std::uint32_t seed);

}  // namespace dactyl::hand
