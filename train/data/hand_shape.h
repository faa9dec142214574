// The shape of a hand: bone lengths and thickness of a person, and the skeleton they give in a pose.
#pragma once

#include <array>
#include <vector>

#include "train/data/hand_pose.h"

namespace dactyl::hand {

// Unit of length: wrist to middle knuckle, about 95 mm in an adult. Hand coordinates: x to the thumb's side, y to the
// fingertips, z out of the palm, origin at the wrist.
struct HandShape {
  float palm_width = 1, finger_length = 1, thumb_length = 1, thickness = 1, taper = 1;
  std::array<float, 4> finger_share = {1, 1, 1, 1};  // index, middle, ring, little: a person's own proportions
};

enum class Group : std::uint8_t { body, thumb, index, middle, ring, little, sleeve };
constexpr int group_count = 7;
enum class Part : std::uint8_t { forearm, palm, proximal, intermediate, distal, cloth };

// One tapered capsule ("round cone"): spheres of radius ra at a to rb at b, a quarter of `flesh` wider halfway.
struct Bone {
  Vec a, b;
  float ra, rb, flesh;
  Group group;
  Part part;
  Frame frame;  // x sideways, y along the bone, z to the palmar side
};
using Skeleton = std::vector<Bone>;

// The bones of a hand with this shape in this pose, in hand coordinates. `cuff`: the distance from the wrist at which a
// sleeve covers the forearm; 0 for a bare arm.
Skeleton skeleton(const HandShape& shape, const HandPose& pose, float cuff = 0);

Skeleton turned(const Skeleton& bones, const Frame& frame);

}  // namespace dactyl::hand
