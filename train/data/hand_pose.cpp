// The ASL alphabet as joint angles.
#include "train/data/hand_pose.h"

namespace dactyl::hand {
namespace {

// Fingers the letters share: {MCP flexion, spread, PIP, DIP}.
constexpr FingerPose straight(float spread, float mcp = 2) { return {mcp, spread, 4, 3}; }
constexpr FingerPose folded(float spread) { return {80, spread, 108, 62}; }

// Thumb {spread, palmar, roll, MCP, IP}; index, middle, ring, little {MCP, spread, PIP, DIP}; yaw, pitch, roll of the
// hand. The thumbs were fitted to touch what they touch in the alphabet chart (mean proportions).
constexpr HandPose letters[letter_count] = {
    /* A */ {{43, 7, -8, 47, -12}, {folded(1), folded(0), folded(0), folded(1)}, 0, 0, 0},
    /* B */ {{20, 6, -14, 65, 80}, {straight(-1), straight(0), straight(1.5f), straight(4)}, 0, 0, 0},
    /* C */ {{68, 75, 3, 42, 48}, {{38, 2, 48, 28}, {38, 0, 48, 28}, {40, -1, 48, 28}, {42, -3, 46, 28}}, 58, 0, 0},
    /* D */ {{33, 23, -24, 52, 62}, {straight(1), {62, 0, 72, 38}, {68, 0, 76, 40}, {74, -2, 76, 40}}, 14, 0, 0},
    /* E */ {{30, 28, -8, 65, 62}, {{36, 1, 112, 62}, {36, 0, 112, 62}, {38, -1, 112, 62}, {42, -4, 110, 60}}, 0, 0, 0},
    /* F */ {{57, 24, -23, 65, 33}, {{56, 0, 66, 36}, straight(-1, 6), straight(-7), straight(-15)}, 5, 0, 0},
    /* G */ {{43, 12, 17, 17, 30}, {straight(0, 7), folded(0), folded(0), folded(1)}, -6, 0, 84},
    /* H */ {{5, 53, 32, 45, 14}, {straight(2, 6), straight(2, 6), folded(0), folded(1)}, -10, 0, 84},
    /* I */ {{32, 54, 13, 60, 2}, {folded(1), folded(0), folded(0), straight(-10)}, 0, 0, 0},
    /* J */ {{32, 54, 13, 60, 2}, {folded(1), folded(0), folded(0), straight(-12)}, 25, 0, 42},
    /* K */ {{5, 17, 38, 12, 1}, {straight(9), {32, -12, 6, 4}, folded(0), folded(1)}, 4, 0, 0},
    /* L */ {{70, 5, 0, 0, 0}, {straight(2), folded(0), folded(0), folded(1)}, 0, 0, 0},
    /* M */ {{5, 26, -6, 65, -12}, {{72, 0, 86, 36}, {72, 1, 86, 36}, {72, 4, 86, 36}, {82, -9, 104, 56}}, 0, 0, 0},
    /* N */ {{25, 15, -25, 65, 13}, {{72, 3, 86, 36}, {72, 5, 86, 36}, {80, -7, 106, 58}, {80, -5, 106, 58}}, 0, 0, 0},
    /* O */ {{39, 24, -25, 65, -4}, {{52, 2, 62, 34}, {52, 0, 62, 34}, {54, -1, 62, 34}, {56, -3, 60, 34}}, 58, 0, 0},
    /* P */ {{5, 42, 70, 49, -12}, {straight(2, 8), {58, -4, 8, 6}, {78, -1, 70, 40}, {82, -4, 80, 44}}, -72, 0, 100},
    /* Q */ {{37, 62, 34, 42, -12}, {{24, 2, 8, 6}, folded(0), folded(0), folded(1)}, -72, 0, 132},
    /* R */ {{5, 53, 32, 45, 14}, {{9, -13, 6, 4}, {-1, 17, 5, 4}, folded(0), folded(1)}, 0, 0, 0},
    /* S */ {{38, 48, -4, 58, 26}, {folded(1), folded(0), folded(0), folded(1)}, 0, 0, 0},
    /* T */ {{38, 12, -25, 65, 5}, {{70, 12, 88, 40}, {80, -3, 106, 60}, folded(-2), folded(0)}, 0, 0, 0},
    /* U */ {{5, 53, 32, 45, 14}, {straight(-1), straight(1), folded(0), folded(1)}, 0, 0, 0},
    /* V */ {{5, 53, 32, 45, 14}, {straight(12), straight(-10), folded(0), folded(1)}, 0, 0, 0},
    /* W */ {{5, 44, 15, 52, 7}, {straight(13), straight(-1), straight(-16), {78, 10, 92, 44}}, 0, 0, 0},
    /* X */ {{39, 54, 8, 65, 3}, {{12, 3, 84, 52}, folded(0), folded(0), folded(1)}, -45, 0, 0},
    /* Y */ {{66, 5, 0, 0, 0}, {folded(1), folded(0), folded(0), straight(-20)}, 0, 0, 0},
    /* Z */ {{39, 54, 8, 65, 3}, {straight(3), folded(0), folded(0), folded(1)}, 12, 0, 34},
};

}  // namespace

const HandPose& letter_pose(int label) { return letters[label]; }

Frame orientation(const HandPose& pose) { return turn_z(pose.roll) * turn_x(pose.pitch) * turn_y(pose.yaw); }

HandPose jittered(HandPose pose, Dice& dice) {
  for (float* angle : {&pose.thumb.spread, &pose.thumb.palmar, &pose.thumb.roll, &pose.thumb.mcp, &pose.thumb.ip}) {
    *angle += dice.around(0, 5);
  }
  const float curl = dice.around(0, 4);  // the fingers of one hand err together, and a little each
  for (FingerPose& finger : pose.fingers) {
    finger.mcp += curl + dice.around(0, 5);
    finger.spread += dice.around(0, 2.5f);
    finger.pip += curl + dice.around(0, 6);
    finger.dip += dice.around(0, 5);
  }
  pose.wrist_flexion += dice.around(0, 22);
  pose.wrist_deviation += dice.around(0, 16);
  return pose;
}

}  // namespace dactyl::hand
