// Moving signs: the paths.
#include "train/data/hand_word.h"

#include <algorithm>

namespace dactyl::hand {
namespace {

// clang-format off
constexpr Motion motions[motion_count] = {
    {"flat hand (B)", {"up", "down"},
     {"rises", "sinks"}, 2, 0},
    {"two fingers (U)", {"right", "left"},
     {"goes to the viewer's right", "goes to the viewer's left"}, 2, 0},
    {"index finger", {"clockwise", "counterclockwise"},
     {"circles clockwise for the viewer, from anywhere", "circles counter-clockwise for the viewer, from anywhere"}, 0, 0},
    {"fist (S), five spread fingers", {"open", "close"},
     {"a fist opens to five fingers", "five fingers close to a fist"}, 2, 0},
    {"thumb and index finger (L)", {"near", "far"},
     {"comes to the viewer and grows", "goes from the viewer and shrinks"}, 2, 0},
    {"thumb and little finger (Y)", {"hide", "show"},
     {"turns its palm away from the viewer", "turns its palm to the viewer"}, 2, 0},
    {"letters O, N", {"on", "no"},
     {"O becomes N", "N becomes O"}, 2, 0},
    {"one, two, three, four, five fingers", {"count_up", "count_down"},
     {"1 2 3 4 5", "5 4 3 2 1"}, 5, 0.45f},
    {"five fingers, some curled", {"ripple_out", "ripple_in"},
     {"fingers curl in turn, from index to little, again and again", "fingers curl in turn, from little to index, again and again"}, 0, 0},
    {"index finger", {"zigzag_down", "zigzag_up"},
     {"writes a Z: right, down to the left, right", "writes a Z from its end: left, up to the right, left"}, 4, 0.05f},
};
// clang-format on

constexpr FingerPose straight(float spread) { return {2, spread, 4, 3}; }
constexpr HandPose five{{58, 10, 0, 5, 0}, {straight(15), straight(4), straight(-9), straight(-23)}, 0, 0, 0};
constexpr HandPose four{{24, 16, -14, 65, 60}, {straight(11), straight(3), straight(-7), straight(-17)}, 0, 0, 0};

HandPose letter(char c) { return letter_pose(c - 'A'); }

HandPose pointing() {  // the hand of the letter Z, upright
  HandPose pose = letter('Z');
  pose.yaw = pose.roll = 0;
  return pose;
}

HandPose turned(HandPose pose, float yaw) {
  pose.yaw = yaw;
  return pose;
}

Stance station(int which, int i) {
  const float side = i == 0 ? -1.0f : 1.0f;
  constexpr Vec zigzag[4] = {{-0.6f, 0.6f, 0}, {0.6f, 0.6f, 0}, {-0.6f, -0.6f, 0}, {0.6f, -0.6f, 0}};
  switch (which) {
    case 0:
      return {letter('B'), {0, 0.9f * side, 0}};
    case 1:
      return {letter('U'), {0.9f * side, 0, 0}};
    case 3:
      return {i == 0 ? letter('S') : five, {}};
    case 4:
      return {letter('L'), {0, 0, i == 0 ? -2.6f : 1.6f}};
    case 5:
      return {turned(letter('Y'), i == 0 ? -5.0f : 160.0f), {}};
    case 6:
      return {letter(i == 0 ? 'O' : 'N'), {}};
    case 7:
      return {i == 0 ? pointing() : i == 1 ? letter('V') : i == 2 ? letter('W') : i == 3 ? four : five, {}};
    default:
      return {pointing(), zigzag[i]};
  }
}

float blend(float a, float b, float t) { return a + (b - a) * t; }

FingerPose blend(const FingerPose& a, const FingerPose& b, float t) {
  return {blend(a.mcp, b.mcp, t), blend(a.spread, b.spread, t), blend(a.pip, b.pip, t), blend(a.dip, b.dip, t)};
}

HandPose blend(const HandPose& a, const HandPose& b, float t) {
  HandPose p;
  p.thumb = {blend(a.thumb.spread, b.thumb.spread, t), blend(a.thumb.palmar, b.thumb.palmar, t),
             blend(a.thumb.roll, b.thumb.roll, t), blend(a.thumb.mcp, b.thumb.mcp, t),
             blend(a.thumb.ip, b.thumb.ip, t)};
  for (int f = 0; f < 4; ++f) p.fingers[f] = blend(a.fingers[f], b.fingers[f], t);
  p.yaw = blend(a.yaw, b.yaw, t), p.pitch = blend(a.pitch, b.pitch, t), p.roll = blend(a.roll, b.roll, t);
  return p;
}

// Each finger curls for a part of the period, the next one a sixth of it later.
HandPose rippled(float phase) {
  constexpr FingerPose curled{62, 0, 82, 45};
  HandPose pose = five;
  for (int f = 0; f < 4; ++f) {
    const float own = phase - static_cast<float>(f) / 6, turn = own - static_cast<float>(static_cast<int>(own + 1) - 1);
    const float rise = turn < 0.25f ? turn * 4 : 2 - turn * 4;  // up in a quarter of the period, down in the next
    pose.fingers[f] = blend(pose.fingers[f], curled, quick_start_and_stop(clamp01(rise)));
  }
  return pose;
}

}  // namespace

float quick_start_and_stop(float u) { return u * u * u * (10 + u * (6 * u - 15)); }

const Motion& motion(int which) { return motions[which]; }

Stance stance(int which, float s) {
  if (which == 2) return {pointing(), {0.62f * sine(360 * s), 0.62f * cosine(360 * s), 0}};
  if (which == 8) return {rippled(s), {}};
  const int from = std::min(static_cast<int>(s), motion(which).stations - 2);
  const Stance a = station(which, from), b = station(which, from + 1);
  const float t = s - static_cast<float>(from);
  return {blend(a.pose, b.pose, t), mix(a.place, b.place, t)};
}

}  // namespace dactyl::hand
