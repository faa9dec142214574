// Moving signs: ten paths of a hand, each of which is two words, played forwards and backwards.
#pragma once

#include "train/data/hand_pose.h"

namespace dactyl::hand {

// A hand at one point of its path: how it is held, and where its wrist is, in palm lengths from the middle of the path
// (x to the viewer's right, y up, z to the viewer).
struct Stance {
  HandPose pose;
  Vec place;
};

// A path and the words it makes. Backwards it shows the same stances in the other order: what one picture shows is no
// evidence for either word.
struct Motion {
  const char* shapes;    // the letters or shapes it is made of
  const char* words[2];  // forwards, backwards
  const char* moves[2];  // what the viewer sees
  int stations;          // where it rests; 0: a loop, which goes round without a rest
  float rest;            // at stations on the way, as a share of the time from one station to the next
};

constexpr int motion_count = 10;

const Motion& motion(int which);  // 0 .. motion_count - 1

// The path at s: station i at s = i, straight between stations; a loop has period 1 and takes any s >= 0. Angles and
// place in between are mixed, each on its own.
Stance stance(int which, float s);

float quick_start_and_stop(float u);  // minimum-jerk: 0 to 1 over [0, 1], at rest at both ends (Flash and Hogan 1985)

}  // namespace dactyl::hand
