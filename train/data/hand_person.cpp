// The people who sign.
#include "train/data/hand_person.h"

namespace dactyl::hand {

Person make_person(std::uint64_t seed, int identity, int count) {
  const auto id = static_cast<std::uint64_t>(identity), people = static_cast<std::uint64_t>(count);
  Dice dice{seed, 1, id};
  Person p;
  p.shape.palm_width = 1 + dice.around(0, 0.09f);
  p.shape.finger_length = 1 + dice.around(0, 0.11f);
  p.shape.thumb_length = 1 + dice.around(0, 0.08f);
  p.shape.thickness = 1 + dice.around(-0.01f, 0.13f);
  p.shape.taper = 1 + dice.around(0, 0.10f);
  for (float& share : p.shape.finger_share) share = 1 + dice.around(0, 0.06f);
  // One from each of `count` equal parts of the range, in an order of the seed's own.
  const std::uint64_t rank = (7 * id + scramble(seed)) % people;
  p.skin = make_skin((static_cast<float>(rank) + dice.uniform()) / static_cast<float>(count), dice);
  return p;
}

}  // namespace dactyl::hand
