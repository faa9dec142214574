// The light a hand is seen in, and what of it reaches the eye.
#pragma once

#include "train/data/hand_skin.h"

namespace dactyl::hand {

struct Light {
  Vec direction;         // towards the key light, unit length
  Vec key, sky, ground;  // colours times strength
  float width;           // tangent of the key light's half angle: how soft shadows are
  float level;           // brightness of a white wall in it
};
Light make_light(Dice& dice);

// What one sample of the surface needs besides the light.
struct Exposure {
  float visibility, openness;  // of the key light; of the surroundings
};

// Light leaving towards `eye` (unit, from the point), linear red green blue. Skin lets red light round the edge of the
// shadow, as it scatters below the surface.
Vec shade(const Light& light, const Material& material, const Vec& normal, const Vec& eye, const Exposure& exposure);

}  // namespace dactyl::hand
