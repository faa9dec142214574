// One recording of a word.
#include "train/data/hand_take.h"

#include "train/data/hand_scene.h"

namespace dactyl::hand {
namespace {

constexpr float frames_per_second = 25;

Tempo make_tempo(const Motion& m, Dice& dice) {
  Tempo tempo;
  if (m.stations == 0) {
    tempo.start = dice.uniform();
    tempo.turns = dice.uniform(1.3f, 2.2f);
    return tempo;
  }
  float sum = 0;
  for (int i = 0; i < 2 * m.stations - 1; ++i) {
    const bool moves = i % 2, on_the_way = !moves && i > 0 && i < 2 * m.stations - 2;
    sum += moves ? dice.uniform(0.7f, 1.3f) : on_the_way ? m.rest * dice.uniform(0.6f, 1.4f) : dice.uniform(0.1f, 0.5f);
    tempo.ends.push_back(sum);
  }
  for (float& end : tempo.ends) end /= sum;
  return tempo;
}

// Smooth, a few swings a second: nobody holds a hand still.
Stance trembling(Stance s, const Take& take, float seconds) {
  const auto swing = [&](float row) { return value_noise({seconds * 4, row, 0.5f}, take.tremor); };
  s.place = s.place + Vec{swing(1), swing(2), swing(3)} * 0.014f;
  s.pose.yaw += 1.2f * swing(4), s.pose.pitch += 1.2f * swing(5), s.pose.roll += 0.9f * swing(6);
  for (int f = 0; f < 4; ++f) s.pose.fingers[f].mcp += 0.8f * swing(7 + static_cast<float>(f));
  return s;
}

void add(FingerPose& a, const FingerPose& b) { a.mcp += b.mcp, a.spread += b.spread, a.pip += b.pip, a.dip += b.dip; }

// The path at s as this person goes it. The elbow follows the wrist half of the way, so the forearm leans.
Stance personal(const Take& take, float s) {
  Stance here = stance(take.motion, s);
  HandPose& pose = here.pose;
  const HandPose& own = take.manner;
  here.place = here.place * take.amplitude;
  pose.thumb.spread += own.thumb.spread, pose.thumb.palmar += own.thumb.palmar, pose.thumb.roll += own.thumb.roll;
  pose.thumb.mcp += own.thumb.mcp, pose.thumb.ip += own.thumb.ip;
  for (int f = 0; f < 4; ++f) add(pose.fingers[f], own.fingers[f]);
  constexpr float lean = 6.4f;  // degrees per palm length: 0.5 / 4.5, the forearm's length
  const Vec aside = local(orientation(pose), here.place);
  pose.wrist_deviation = own.wrist_deviation + lean * aside.x;
  pose.wrist_flexion = own.wrist_flexion - lean * aside.z;
  return here;
}

}  // namespace

Take make_take(std::uint64_t seed, int label, int index, int signer) {
  Dice dice{seed, 3, static_cast<std::uint64_t>(label), static_cast<std::uint64_t>(index)};
  Take take{.motion = label / 2, .backwards = label % 2 == 1, .rest = dice};
  take.who = make_person(seed, signer, word_people);
  take.manner = jittered({}, dice);
  take.tempo = make_tempo(motion(take.motion), dice);
  take.amplitude = dice.uniform(0.75f, 1.25f);
  take.tremor = static_cast<std::uint32_t>(dice.next());
  take.cuff = dice.chance(0.4f) ? dice.uniform(0.15f, 0.9f) : 0;
  take.who.skin.cloth = paint_colour(dice, 0.9f);
  take.view = turn_z(dice.around(0, 12)) * turn_x(dice.around(0, 18)) * turn_y(dice.around(0, 22));
  take.light = make_light(dice);
  take.distance = dice.uniform(5, 9), take.fill = dice.uniform(0.68f, 0.92f);
  take.x = dice.around(0, 0.95f), take.y = dice.around(0, 0.95f);
  take.rest = dice;
  return take;
}

float progress(const Take& take, float time) {
  const Tempo& tempo = take.tempo;
  if (tempo.ends.empty()) return tempo.start + tempo.turns * time;
  float s = 0, begin = 0;
  for (std::size_t i = 0; i < tempo.ends.size() && time > begin; begin = tempo.ends[i], ++i) {
    if (i % 2 == 1) s += quick_start_and_stop(clamp01((time - begin) / (tempo.ends[i] - begin)));
  }
  return s;
}

Stance moment(const Take& take, int frame, int frames) {
  const float of_film = static_cast<float>(take.backwards ? frames - 1 - frame : frame);
  const float s = progress(take, (of_film + 0.5f) / static_cast<float>(frames));
  return trembling(personal(take, s), take, of_film / frames_per_second);
}

Posed posed(const Take& take, const Stance& stance) {
  const Frame hand = take.view * orientation(stance.pose);
  return {turned(skeleton(take.who.shape, stance.pose, take.cuff), hand), hand, take.view * stance.place};
}

Camera frame_path(const Take& take, int size) {
  Skeleton all;
  constexpr int samples = 16;
  const int stations = motion(take.motion).stations;
  const float length = stations ? static_cast<float>(stations - 1) : 1;
  for (int i = 0; i <= samples; ++i) {
    const Posed here = posed(take, personal(take, length * static_cast<float>(i) / samples));
    for (Bone bone : here.bones) {
      bone.a = bone.a + here.place, bone.b = bone.b + here.place;
      all.push_back(bone);
    }
  }
  return frame_hand(all, size, size, take.distance, take.fill, take.x, take.y);
}

}  // namespace dactyl::hand
