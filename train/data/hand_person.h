// The people who sign: proportions and skin of one hand.
#pragma once

#include "train/data/hand_shape.h"
#include "train/data/hand_skin.h"

namespace dactyl::hand {

struct Person {
  HandShape shape;
  Skin skin;
};

// Person `identity` (0 .. count - 1) of the `count` who sign under `seed`. Whatever the seed, their skins cover the
// whole range from very light to very dark; `count` must not be a multiple of 7.
Person make_person(std::uint64_t seed, int identity, int count);

}  // namespace dactyl::hand
