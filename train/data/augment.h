// Crops, shifts, mirrors, colour: pure functions of (seed, epoch, sample), applied on the device by `pixels`.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "train/data/image.h"

namespace dactyl {

struct AugmentOptions {
  bool reflect_x = false;
  int shift = 0;      // ± pixels of the network's input, both axes
  bool crop = false;  // a random window of the prepared picture instead of the centre
  double jitter = 0;  // brightness, contrast, saturation ± this share
  double zoom = 0;    // resized by a random factor in [1 − zoom, 1 + zoom] before the crop
  double rotate = 0;  // degrees ±, about the centre
};
// "none" or "reflect-x,shift=30,crop,jitter=0.3,zoom=0.2,rotate=10"; throws a usage error naming the unknown word.
AugmentOptions parse_augment(const std::string& text);
std::string to_text(const AugmentOptions&);

// A row of `pixels`' geometry for a prepared picture of height × width.
using Geometry = std::array<float, 8>;
Geometry centred(const InputSpec& input, int height, int width);
// Views to average over when testing (Krizhevsky et al. 2012, section 4.1). 1: the centre; 2: also mirrored; 10: the
// four corners and the centre, each also mirrored. Another number: usage error.
std::vector<Geometry> test_views(int views, const InputSpec& input, int height, int width);
Geometry augmented(const AugmentOptions&, const InputSpec&, int height, int width, std::uint64_t seed, i64 epoch,
                   i64 sample);
// The part of the augmentation done by the loader on the picture itself: zoom and rotation, of every frame alike, the
// vectors of flow turned and stretched with it. Identity without them.
Image augmented(const AugmentOptions&, const Image&, std::uint64_t seed, i64 epoch, i64 sample);

// Zoom and rotation drawn for a sample: about the centre, `factor` times as large, turned by `angle` (radians).
struct Warp {
  double factor = 1, angle = 0;
};
Warp drawn_warp(const AugmentOptions&, std::uint64_t seed, i64 epoch, i64 sample);

}  // namespace dactyl
