// What is behind a hand: walls, gradients, textures, rooms and clutter out of focus.
#pragma once

#include "train/data/hand_render.h"

namespace dactyl::hand {

// A background of height × width pixels in linear light, drawn from `dice`.
Canvas make_background(int height, int width, Dice& dice);

// A colour as people paint walls and dye cloth: `vivid` 0 grey .. 1 any saturation.
Vec paint_colour(Dice& dice, float vivid);

}  // namespace dactyl::hand
