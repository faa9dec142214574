// How a hand is held: joint angles in degrees, and the 26 letters of the ASL alphabet as such angles.
#pragma once

#include <string>
#include <vector>

#include "train/data/hand_random.h"
#include "train/data/hand_vector.h"

namespace dactyl::hand {

// All angles in degrees; 0 is a straight finger beside its neighbours. Positive flexion bends towards the palm.
struct FingerPose {
  float mcp, spread, pip, dip;  // spread: towards the thumb's side
};

// The metacarpal leaves the wrist `spread` outwards in the palm's plane and `palmar` out of it; `roll` 0 lets the thumb
// bend across the palm, 90 lets it bend down onto the palm.
struct ThumbPose {
  float spread, palmar, roll, mcp, ip;
};

// The right hand. Yaw, pitch and roll turn it from "palm to the viewer, fingers up": about the vertical (the palm goes
// to the viewer's right), about the horizontal (the fingers come forward), in the picture (counter-clockwise).
struct HandPose {
  ThumbPose thumb;
  FingerPose fingers[4];  // index, middle, ring, little
  float yaw, pitch, roll;
  float wrist_flexion = 0, wrist_deviation = 0;  // where the forearm comes from
};

constexpr int letter_count = 26, invented_count = 60;

const HandPose& letter_pose(int label);              // 0..25 = A..Z, as the alphabet chart shows it to the viewer
const HandPose& invented_pose(int label);            // 0..59: fingers and thumb as no letter holds them
float difference(const HandPose&, const HandPose&);  // of fingers and thumb, not of how the hand is turned; in degrees
HandPose jittered(HandPose pose, Dice& dice);        // each joint a few degrees elsewhere, the wrist freely
Frame orientation(const HandPose& pose);             // hand to camera coordinates

}  // namespace dactyl::hand
