// What a camera makes of the light: focus, exposure, white balance, contrast, noise, 8 bits.
#pragma once

#include "train/data/hand_render.h"
#include "train/data/image.h"

namespace dactyl::hand {

// Develops `canvas` (which it may overwrite) with a camera drawn from `dice`, exposed for light of strength `level`.
Image photograph(Canvas canvas, float level, Dice& dice);

}  // namespace dactyl::hand
