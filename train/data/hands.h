// The built-in data: pictures like photographs of a hand that signs the ASL alphabet, rendered from joint angles.
//
// pose (hand_pose.h) -> skeleton (hand_shape.h) -> surface (hand_field.h) -> picture (hand_render.h), each a pure
// function of the one before; a moving sign is a path of poses through the same functions.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "train/data/image.h"

namespace dactyl {

enum class HandSigns { letters, invented };  // invented: 60 shapes that are none of the alphabet, to learn hands from

struct HandsOptions {
  int classes = 26;     // the first letters of the alphabet, 1 to 26, or the first invented shapes, 1 to 60
  int per_class = 200;  // samples of each
  int size = 256;       // pixels per side, 1 to 4096
  std::uint64_t seed = 1;
  HandSigns signs = HandSigns::letters;
};

constexpr int hand_people = 20;  // how many different hands sign under one seed

// Sample `index` (0 .. per_class - 1) of sign `label` (0 .. classes - 1): a right hand as the viewer sees it, with
// its own skin, light, background, angle, place and size. A pure function of (size, seed, label, index), from any
// thread. Throws for options, labels and indices out of range.
Image render_hand(const HandsOptions& options, int label, int index);

// Which of the hand_people signs it, 0 .. hand_people - 1: proportions and skin belong to a person, so that a split by
// person tests hands never seen. Other seeds have other people.
int hand_identity(const HandsOptions& options, int label, int index);

const std::vector<std::string>& hand_labels(HandSigns signs);  // "A" .. "Z", or "shape01" .. "shape60"

}  // namespace dactyl
