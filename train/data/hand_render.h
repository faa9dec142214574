// Draws a hand over a picture: rays against the distance field, four at a time, borders with four rays a pixel.
#pragma once

#include <vector>

#include "train/data/hand_light.h"

namespace dactyl::hand {

// Linear light, row by row; no limit above.
struct Canvas {
  int height = 0, width = 0;
  std::vector<Vec> pixels;
};

// A pinhole at (x, y, z) looking along -z; a point at unit distance moves `scale` pixels per unit, the axis meets pixel
// (column, row).
struct Camera {
  Vec eye;
  float column, row, scale;
};

// Places the camera `distance` in front of the hand so that the hand (without forearm) fills the share `fill` of the
// shorter side and lies inside the frame; (x, y) in [-1, 1] chooses where within the room left.
Camera frame_hand(const Skeleton& bones, int height, int width, float distance, float fill, float x, float y);

struct Scene {
  const Skeleton& bones;  // in camera coordinates
  Frame hand;             // the hand's axes in these
  const Skin& skin;
  Light light;
  Camera camera;
};

// Covers the pixels of `canvas` that show the hand or its sleeve.
void draw_hand(const Scene& scene, Canvas& canvas);

}  // namespace dactyl::hand
