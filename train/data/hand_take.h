// One recording of a word: who signs it, how quickly and how widely, in what light, before which camera. Everything
// about a video but its pixels.
#pragma once

#include <vector>

#include "train/data/hand_person.h"
#include "train/data/hand_render.h"
#include "train/data/hand_word.h"

namespace dactyl::hand {

constexpr int word_people = 20;  // how many different hands sign under one seed

// The path's course in time. A loop: from `start`, at a constant pace, `turns` round. Stations: the ends of the times
// of rest and of motion, alternately, as shares of the whole; rest comes first and last.
struct Tempo {
  float start = 0, turns = 0;
  std::vector<float> ends;
};

struct Take {
  int motion = 0;
  bool backwards = false;
  Person who;
  float cuff = 0;  // of the sleeve, as in skeleton()
  Light light;
  Frame view;                                  // the scene as this camera's angle shows it
  float distance = 0, fill = 0, x = 0, y = 0;  // as in frame_hand(), for the whole path
  HandPose manner;                             // what this take adds to every angle of the path
  float amplitude = 1;                         // of the wrist's path
  Tempo tempo;
  std::uint32_t tremor = 0;
  Dice rest;  // of the scene: what is behind the hand, the camera's settings
};

// Sample `index` of word `label` (2 · motion + backwards), signed by person `signer`.
Take make_take(std::uint64_t seed, int label, int index, int signer);

// How far along its path the hand is after the share `time` (0 .. 1) of the film.
float progress(const Take& take, float time);

// The hand in frame `frame` of `frames`. A word played backwards takes its frames from the film's end: with everything
// else the same, frame f of one word is frame (frames - 1 - f) of its partner, bit for bit.
Stance moment(const Take& take, int frame, int frames);

// The bones with the wrist at the origin, as the camera's angle shows them, and the wrist's place in the same axes.
struct Posed {
  Skeleton bones;
  Frame hand;
  Vec place;
};
Posed posed(const Take& take, const Stance& stance);

// The camera that keeps the whole path in a picture of size × size, for a wrist at the origin.
Camera frame_path(const Take& take, int size);

}  // namespace dactyl::hand
