// The built-in data: one sample from its address.
#include "train/data/hands.h"

#include "engine/check.h"
#include "train/data/hand_person.h"
#include "train/data/hand_photo.h"
#include "train/data/hand_scene.h"

namespace dactyl {
namespace {

using namespace hand;

HandPose seen_from_elsewhere(HandPose pose, Dice& dice) {
  pose.yaw += dice.around(0, 25);
  pose.pitch += dice.around(0, 25);
  pose.roll += dice.around(0, 20);
  return pose;
}

void check_sample(const HandsOptions& o, int label, int index) {
  const auto most = static_cast<int>(hand_labels(o.signs).size());
  check(Exit::usage, o.classes >= 1 && o.classes <= most, "hands: {} classes; there are 1 to {} {}", o.classes, most,
        o.signs == HandSigns::letters ? "letters" : "invented shapes");
  check(Exit::usage, o.size >= 1 && o.size <= 4096, "hands: pictures of {} pixels; 1 to 4096 are possible", o.size);
  check(Exit::usage, label >= 0 && label < o.classes, "hands: label {} of {} classes", label, o.classes);
  check(Exit::usage, index >= 0 && index < o.per_class, "hands: sample {} of {} per class", index, o.per_class);
}

}  // namespace

int hand_identity(const HandsOptions& options, int label, int index) {
  check_sample(options, label, index);
  return (index + 3 * label) % hand_people;  // everybody shows every sign equally often
}

Image render_hand(const HandsOptions& options, int label, int index) {
  Person who = make_person(options.seed, hand_identity(options, label, index), hand_people);
  const bool is_letter = options.signs == HandSigns::letters;
  Dice dice{options.seed, is_letter ? 2u : 3u, static_cast<std::uint64_t>(label), static_cast<std::uint64_t>(index)};
  const HandPose& held = is_letter ? letter_pose(label) : invented_pose(label);
  const HandPose pose = seen_from_elsewhere(jittered(held, dice), dice);
  const float cuff = dice.chance(0.4f) ? dice.uniform(0.15f, 0.9f) : 0;  // four in ten wear long sleeves
  who.skin.cloth = paint_colour(dice, 0.9f);
  const Frame view = orientation(pose);
  const Skeleton bones = turned(skeleton(who.shape, pose, cuff), view);
  const Light light = make_light(dice);
  const float fill = dice.uniform(0.45f, 0.85f), distance = dice.uniform(4.5f, 9);
  const float x = dice.around(0, 0.95f), y = dice.around(0, 0.95f);
  const Camera camera = frame_hand(bones, options.size, options.size, distance, fill, x, y);
  Canvas canvas = make_background(options.size, options.size, dice);
  draw_hand({bones, view, who.skin, light, camera}, canvas);
  return photograph(std::move(canvas), light.level, dice);
}

const std::vector<std::string>& hand_labels(HandSigns signs) {
  static const std::vector<std::string> letters = [] {
    std::vector<std::string> names;
    for (char c = 'A'; c <= 'Z'; ++c) names.emplace_back(1, c);
    return names;
  }();
  static const std::vector<std::string> invented = [] {
    std::vector<std::string> names;
    for (int i = 1; i <= invented_count; ++i) names.push_back((i < 10 ? "shape0" : "shape") + std::to_string(i));
    return names;
  }();
  return signs == HandSigns::letters ? letters : invented;
}

}  // namespace dactyl
