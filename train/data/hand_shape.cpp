// The shape of a hand: forward kinematics from joint angles to tapered capsules.
#include "train/data/hand_shape.h"

namespace dactyl::hand {
namespace {

// Mean adult proportions, in palm lengths: knuckle position, phalanges, radii at base, PIP, DIP and tip.
struct FingerAnatomy {
  Vec knuckle;
  float proximal, intermediate, distal;
  float base, pip, dip, tip;
};
constexpr FingerAnatomy anatomy[4] = {
    {{0.31f, 0.96f, 0.00f}, 0.46f, 0.28f, 0.185f, 0.118f, 0.107f, 0.096f, 0.080f},
    {{0.09f, 1.00f, -0.03f}, 0.51f, 0.31f, 0.195f, 0.120f, 0.109f, 0.098f, 0.082f},
    {{-0.13f, 0.95f, -0.01f}, 0.47f, 0.30f, 0.195f, 0.114f, 0.104f, 0.094f, 0.078f},
    {{-0.33f, 0.84f, 0.04f}, 0.36f, 0.22f, 0.175f, 0.102f, 0.092f, 0.083f, 0.070f},
};
constexpr Vec thumb_root{0.22f, 0.17f, 0.10f};
constexpr float thumb_metacarpal = 0.46f, thumb_proximal = 0.36f, thumb_distal = 0.235f;

class Builder {
 public:
  explicit Builder(const HandShape& shape) : shape_(shape) {}

  void add(Group group, Part part, const Frame& frame, Vec a, Vec b, float ra, float rb, float flesh = 0) {
    const float t = shape_.thickness;
    bones_.push_back({a, b, ra * t, rb * t, flesh * t, group, part, frame});
  }
  void palm(Vec a, Vec b, float ra, float rb) { add(Group::body, Part::palm, {}, wide(a), wide(b), ra, rb); }
  Vec wide(Vec v) const { return {v.x * shape_.palm_width, v.y, v.z}; }

  void palm();
  void finger(int f, const FingerPose& pose);
  void thumb(const ThumbPose& pose);
  void forearm(const HandPose& pose, float cuff);
  Skeleton take() { return std::move(bones_); }

 private:
  const HandShape& shape_;
  Skeleton bones_;
};

void Builder::palm() {
  const Vec carpal[4] = {
      {0.15f, 0.08f, 0.00f}, {0.06f, 0.05f, -0.02f}, {-0.06f, 0.05f, -0.01f}, {-0.16f, 0.08f, 0.01f}};
  for (int f = 0; f < 4; ++f) palm(carpal[f], anatomy[f].knuckle, 0.165f, anatomy[f].base * 1.16f);
  palm({-0.21f, 0.10f, 0.05f}, {-0.33f, 0.60f, 0.07f}, 0.15f, 0.13f);  // hypothenar
  palm({-0.30f, 0.72f, 0.075f}, {0.27f, 0.84f, 0.05f}, 0.09f, 0.10f);  // pads below the fingers
}

void Builder::finger(int f, const FingerPose& pose) {
  const FingerAnatomy& a = anatomy[f];
  const Group group = static_cast<Group>(static_cast<int>(Group::index) + f);
  const float scale = shape_.finger_length * shape_.finger_share[static_cast<std::size_t>(f)];
  Frame frame = turn_x(pose.mcp) * turn_z(-pose.spread);
  Vec p = wide(a.knuckle);
  const auto segment = [&](Part part, float size, float ra, float rb) {
    const Vec q = p + frame.y * (size * scale);
    add(group, part, frame, p, q, ra, rb, part == Part::distal ? 0.02f : 0.035f);
    p = q;
  };
  segment(Part::proximal, a.proximal, a.base, a.pip);
  frame = frame * turn_x(pose.pip);
  segment(Part::intermediate, a.intermediate, a.pip, a.dip);
  frame = frame * turn_x(pose.dip);
  segment(Part::distal, a.distal, a.dip * 0.99f, a.tip * shape_.taper);
}

void Builder::thumb(const ThumbPose& pose) {
  Frame frame = turn_z(-pose.spread) * turn_x(pose.palmar) * turn_y(-90 - pose.roll);
  const Vec root = wide(thumb_root);
  const Vec mcp = root + frame.y * (thumb_metacarpal * shape_.thumb_length);
  add(Group::body, Part::palm, frame, root, mcp, 0.19f, 0.128f);
  // The ball of the thumb, and the web that ties it to the index finger's side.
  add(Group::body, Part::palm, {}, mix(root, wide({-0.02f, 0.25f, 0.06f}), 0.5f), mix(root, mcp, 0.55f), 0.165f, 0.15f);
  add(Group::body, Part::palm, {}, mix(root, mcp, 0.66f), wide({0.24f, 0.60f, 0.03f}), 0.10f, 0.09f);
  frame = frame * turn_x(pose.mcp);
  const Vec ip = mcp + frame.y * (thumb_proximal * shape_.thumb_length);
  add(Group::thumb, Part::proximal, frame, mcp, ip, 0.122f, 0.104f, 0.03f);
  frame = frame * turn_x(pose.ip);
  const Vec tip = ip + frame.y * (thumb_distal * shape_.thumb_length);
  add(Group::thumb, Part::distal, frame, ip, tip, 0.106f, 0.083f * shape_.taper, 0.05f);
}

void Builder::forearm(const HandPose& pose, float cuff) {
  const Frame frame = turn_z(-pose.wrist_deviation) * turn_x(-pose.wrist_flexion);
  const float elbow = -4.5f;
  for (float side : {-1.0f, 0.0f, 1.0f}) {
    const Vec wrist = frame * wide({side * 0.13f, -0.05f, 0}), end = frame * wide({side * 0.26f, elbow, 0});
    add(Group::body, Part::forearm, frame, wrist, end, 0.195f, 0.42f);
  }
  if (cuff <= 0) return;
  for (float side : {-1.0f, 0.0f, 1.0f}) {
    const Vec a = frame * wide({side * 0.16f, -cuff, 0}), b = frame * wide({side * 0.28f, elbow, 0});
    add(Group::sleeve, Part::cloth, frame, a, b, 0.29f, 0.52f);
  }
}

}  // namespace

Skeleton skeleton(const HandShape& shape, const HandPose& pose, float cuff) {
  Builder hand(shape);
  hand.palm();
  hand.forearm(pose, cuff);
  hand.thumb(pose.thumb);
  for (int f = 0; f < 4; ++f) hand.finger(f, pose.fingers[f]);
  return hand.take();
}

Skeleton turned(const Skeleton& bones, const Frame& frame) {
  Skeleton result = bones;
  for (Bone& bone : result) {
    bone.a = frame * bone.a;
    bone.b = frame * bone.b;
    bone.frame = frame * bone.frame;
  }
  return result;
}

}  // namespace dactyl::hand
