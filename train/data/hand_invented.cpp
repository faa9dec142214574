// Hand shapes that are no letters: fingers straight, bent, hooked or folded, combined by chance, kept where they differ
// enough from the alphabet and from each other.
#include <algorithm>
#include <cmath>
#include <vector>

#include "train/data/hand_pose.h"

namespace dactyl::hand {
namespace {

// Fingers {MCP, spread, PIP, DIP}: straight, bent at the knuckle, half bent, hooked, folded.
constexpr FingerPose fingers[] = {{2, 0, 4, 3}, {68, 0, 6, 4}, {44, 0, 54, 30}, {8, 0, 90, 54}, {80, 0, 108, 62}};
// Thumbs {spread, palmar, roll, MCP, IP}: away from the hand, across the palm, before the fingers, beside them, up.
constexpr ThumbPose thumbs[] = {
    {70, 5, 0, 0, 0}, {5, 53, 32, 45, 14}, {38, 48, -4, 58, 26}, {43, 7, -8, 47, -12}, {30, 5, 0, 5, 40}};
// How the hand is turned {yaw, pitch, roll}: palm to the viewer, from the side, tilted, lying.
constexpr float turns[][3] = {{0, 0, 0}, {58, 0, 0}, {-45, 0, 0}, {0, 0, 45}, {-8, 0, 84}};

constexpr float from_letters = 26, from_others = 22;  // degrees

HandPose drawn(Dice& dice) {
  HandPose pose{};
  pose.thumb = thumbs[dice.below(std::size(thumbs))];
  const float fan = dice.uniform(0, 11);
  for (int i = 0; i < 4; ++i) {
    pose.fingers[i] = fingers[dice.below(std::size(fingers))];
    pose.fingers[i].spread = fan * (1 - 0.8f * static_cast<float>(i));
  }
  const auto& turn = turns[dice.below(std::size(turns))];
  pose.yaw = turn[0], pose.pitch = turn[1], pose.roll = turn[2];
  return pose;
}

bool is_new(const HandPose& pose, const std::vector<HandPose>& others) {
  for (int letter = 0; letter < letter_count; ++letter)
    if (difference(pose, letter_pose(letter)) < from_letters) return false;
  return std::all_of(others.begin(), others.end(),
                     [&](const HandPose& other) { return difference(pose, other) >= from_others; });
}

}  // namespace

float difference(const HandPose& a, const HandPose& b) {
  float sum = 0;
  const auto add = [&](float x, float y) { sum += (x - y) * (x - y); };
  for (int i = 0; i < 4; ++i) {
    add(a.fingers[i].mcp, b.fingers[i].mcp);
    add(a.fingers[i].pip, b.fingers[i].pip);
  }
  add(a.thumb.spread, b.thumb.spread);
  add(a.thumb.palmar, b.thumb.palmar);
  add(a.thumb.mcp, b.thumb.mcp);
  return std::sqrt(sum / 11);
}

const HandPose& invented_pose(int label) {
  static const std::vector<HandPose> poses = [] {
    std::vector<HandPose> kept;
    Dice dice{60};
    while (kept.size() < invented_count)
      if (const HandPose pose = drawn(dice); is_new(pose, kept)) kept.push_back(pose);
    return kept;
  }();
  return poses[static_cast<std::size_t>(label)];
}

}  // namespace dactyl::hand
