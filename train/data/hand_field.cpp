// The skin of a hand as a distance field.
#include "train/data/hand_field.h"

namespace dactyl::hand {
namespace {

constexpr float far = 1e3f;

// Union of two solids with a fillet: differs from the minimum only where |a - b| < k.
Lanes melt(Lanes a, Lanes b, Lanes k, Lanes inverse) {
  const Lanes h = maximum(k - absolute(a - b), Lanes{});
  return minimum(a, b) - h * h * (0.25f * inverse);
}
Lanes melt(Lanes a, Lanes b, float k) { return melt(a, b, Lanes{} + k, Lanes{} + 1 / k); }

}  // namespace

Field::Field(const Skeleton& bones) {
  for (int group = 0; group < group_count; ++group) {
    bool first = true;
    for (std::size_t i = 0; i < bones.size(); ++i) {
      const Bone& bone = bones[i];
      if (static_cast<int>(bone.group) != group) continue;
      if (first) knuckles_[static_cast<std::size_t>(group)] = bone.a;
      first = false;
      const Vec axis = bone.b - bone.a;
      cones_.push_back({bone.a, axis, 1 / dot(axis, axis), bone.ra, bone.rb - bone.ra, bone.flesh, bone.group,
                        static_cast<std::int32_t>(i)});
    }
  }
}

void Field::select(const Field& all, const Vec& eye, float u, float v, float radius, float margin) {
  knuckles_ = all.knuckles_;
  cones_.clear();
  for (const Cone& cone : all.cones_) {
    const Vec a = cone.a - eye, b = a + cone.axis;
    const float za = 1 / maximum(-a.z, 0.1f), zb = 1 / maximum(-b.z, 0.1f);
    const float au = a.x * za - u, av = a.y * za - v, du = b.x * zb - a.x * za, dv = b.y * zb - a.y * za;
    const float h = clamp01(-(au * du + av * dv) / maximum(du * du + dv * dv, 1e-12f));
    const float thick = (maximum(cone.ra, cone.ra + cone.slope) + margin) * maximum(za, zb) * 1.1f;
    const float x = au + h * du, y = av + h * dv, reach = radius + thick;
    if (x * x + y * y < reach * reach) cones_.push_back(cone);
  }
}

std::pair<float, float> Field::depths(const Vec& eye) const {
  float near = far, deep = 0;
  for (const Cone& c : cones_) {
    const float rb = c.ra + c.slope, za = eye.z - c.a.z, zb = za - c.axis.z;
    near = minimum(near, minimum(za - c.ra, zb - rb));
    deep = maximum(deep, maximum(za + c.ra, zb + rb));
  }
  return {near, deep};
}

Lanes Field::to_cone(const Cone& cone, const VecLanes& p) {
  const VecLanes q = p - cone.a;
  const Lanes h = clamp01(dot(q, cone.axis) * cone.inverse_square);  // share of the way along the bone
  const VecLanes r{q.x - h * cone.axis.x, q.y - h * cone.axis.y, q.z - h * cone.axis.z};
  return length(r) - (cone.ra + h * (cone.slope + cone.flesh * (1.0f - h)));
}

Lanes Field::distance(const VecLanes& p) const {
  Lanes body = Lanes{} + far, finger = body, skin = body;
  for (std::size_t i = 0; i < cones_.size(); ++i) {
    const Cone& cone = cones_[i];
    const Lanes d = to_cone(cone, p);
    if (cone.group == Group::body) {
      body = melt(body, d, 0.10f);
      continue;
    }
    finger = melt(finger, d, 0.02f);
    if (i + 1 < cones_.size() && cones_[i + 1].group == cone.group) continue;
    if (cone.group == Group::sleeve) {
      skin = minimum(skin, finger);
    } else {  // a finger melts into the body at its knuckle; elsewhere it only touches it
      const Lanes near = smooth(1.35f - length(p - knuckles_[static_cast<std::size_t>(cone.group)]) * 3.6f);
      const Lanes k = 0.012f + 0.10f * near;
      skin = minimum(skin, melt(body, finger, k, 1.0f / k));
    }
    finger = Lanes{} + far;
  }
  return minimum(skin, body);
}

VecLanes Field::normal(const VecLanes& p) const {
  constexpr float e = 0.004f;
  const Lanes a = distance(p + Vec{e, -e, -e}), b = distance(p + Vec{-e, -e, e});
  const Lanes c = distance(p + Vec{-e, e, -e}), d = distance(p + Vec{e, e, e});
  return normalized(VecLanes{a - b - c + d, c + d - a - b, b + d - a - c});
}

Bits Field::bone_at(const VecLanes& p) const {
  Lanes best = Lanes{} + far;
  Bits bone{};
  for (const Cone& cone : cones_) {
    // The sphere at a joint belongs to both bones: to the one that overshoots its end less.
    const Lanes along = dot(p - cone.a, cone.axis) * cone.inverse_square;
    const Lanes d = to_cone(cone, p) + 0.03f * absolute(along - clamp01(along));
    bone = d < best ? Bits{} + cone.bone : bone;
    best = minimum(best, d);
  }
  return bone;
}

Lanes Field::visibility(const VecLanes& p, const Vec& light, float width, Bits group) const {
  Lanes free = Lanes{} + 1.0f;
  for (const Cone& c : cones_) {
    const Bits own = group == static_cast<std::int32_t>(c.group);
    if (own[0] & own[1] & own[2] & own[3]) continue;
    const VecLanes q = p - c.a;
    const float along = dot(c.axis, light), square = 1 / c.inverse_square;
    const float parallel = maximum(square - along * along, 1e-4f);
    const Lanes qa = q.x * c.axis.x + q.y * c.axis.y + q.z * c.axis.z;
    const Lanes ql = q.x * light.x + q.y * light.y + q.z * light.z;
    const Lanes h = clamp01((qa - ql * along) * (1 / parallel));  // closest point of bone and ray
    const Lanes t = maximum(h * along - ql, Lanes{} + 1e-3f);
    const VecLanes gap{q.x + t * light.x - h * c.axis.x, q.y + t * light.y - h * c.axis.y,
                       q.z + t * light.z - h * c.axis.z};
    const Lanes clear = length(gap) - (c.ra + h * c.slope);
    const Lanes open = smooth(0.5f + 0.5f * clear / (0.02f + width * t));
    const Lanes fade = smooth((t - 0.04f) * 8.0f);  // what touches p is left to openness()
    const Lanes seen = 1.0f - (1.0f - open) * fade;
    free = own ? free : minimum(free, seen);
  }
  return free;
}

Lanes Field::openness(const VecLanes& p, const VecLanes& n) const {
  Lanes closed{};
  for (const auto& [reach, weight] : {std::pair{0.05f, 0.75f}, {0.18f, 0.65f}}) {
    const Lanes d = distance({p.x + n.x * reach, p.y + n.y * reach, p.z + n.z * reach});
    closed += maximum(reach - d, Lanes{}) * (weight / reach);
  }
  return clamp01(1.0f - closed);
}

}  // namespace dactyl::hand
