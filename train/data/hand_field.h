// The skin of a hand as a distance field: capsules melted together, evaluated for four points at once.
#pragma once

#include <utility>
#include <vector>

#include "train/data/hand_shape.h"

namespace dactyl::hand {

class Field {
 public:
  Field() = default;
  explicit Field(const Skeleton& bones);

  // The part of the field that a cone of rays can meet: bones whose picture comes closer than `margin` to the disc of
  // `radius` around the axis point at unit distance. Keeps the numbering of bones.
  void select(const Field& all, const Vec& eye, float u, float v, float radius, float margin);

  bool empty() const { return cones_.empty(); }
  std::pair<float, float> depths(const Vec& eye) const;  // along the viewing axis: all bones lie between these two

  Lanes distance(const VecLanes& p) const;
  VecLanes normal(const VecLanes& p) const;  // unit gradient, by central differences over a tetrahedron
  Bits bone_at(const VecLanes& p) const;     // index into the skeleton of the nearest bone

  // How much of a light of `width` (tangent of its half angle) in direction `light` reaches p: 0 shadow .. 1 free. A
  // group of bones never shades itself: n·l does that.
  Lanes visibility(const VecLanes& p, const Vec& light, float width, Bits group) const;
  // How open the surroundings of p along normal n are: 0 enclosed .. 1 open.
  Lanes openness(const VecLanes& p, const VecLanes& n) const;

 private:
  struct Cone {
    Vec a, axis;
    float inverse_square, ra, slope, flesh;  // radius ra + h (slope + flesh (1 - h)) at a + h axis
    Group group;
    std::int32_t bone;
  };
  static Lanes to_cone(const Cone& cone, const VecLanes& p);

  std::vector<Cone> cones_;                  // ordered by group, the body first
  std::array<Vec, group_count> knuckles_{};  // where each finger grows out of the body
};

}  // namespace dactyl::hand
