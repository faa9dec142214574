// The built-in videos: which there are, and their frames.
#include "train/data/words.h"

#include <algorithm>
#include <cmath>

#include "engine/check.h"
#include "train/data/hand_photo.h"
#include "train/data/hand_scene.h"
#include "train/data/hand_take.h"

namespace dactyl {

// What all frames of a video share.
struct hand::Footage {
  Take take;
  int frames;
  Camera camera;
  Canvas backdrop;
  Dice photo;  // the same numbers for every frame: a grain that flickered would be motion
};

namespace {

using namespace hand;

void check_options(const WordsOptions& o) {
  constexpr int words = 2 * motion_count;
  check(Exit::usage, o.classes >= 1 && o.classes <= words, "words: {} classes; 1 to {} are possible", o.classes, words);
  check(Exit::usage, o.per_class >= 1 && o.per_class <= 100'000, "words: {} per class; 1 to 100000 are possible",
        o.per_class);
  check(Exit::usage, o.frames >= 1 && o.frames <= 1000, "words: {} frames; 1 to 1000 are possible", o.frames);
  check(Exit::usage, o.size >= 1 && o.size <= 4096, "words: frames of {} pixels; 1 to 4096 are possible", o.size);
}

void check_sample(const WordsOptions& o, int label, int index) {
  const int samples = word_samples(o, label);
  check(Exit::usage, index >= 0 && index < samples, "words: sample {} of {} of {}", index, samples,
        hand_words()[static_cast<std::size_t>(label)].name);
}

Footage film(const WordsOptions& o, int label, int index) {
  const Take take = make_take(o.seed, label, index, word_signer(o, label, index));
  Dice dice = take.rest;
  Canvas backdrop = make_background(o.size, o.size, dice);
  return {take, o.frames, frame_path(take, o.size), std::move(backdrop), dice};
}

}  // namespace

const std::vector<Word>& hand_words() {
  static const std::vector<Word> words = [] {
    std::vector<Word> all;
    for (int label = 0; label < 2 * motion_count; ++label) {
      const Motion& m = motion(label / 2);
      const int way = label % 2;
      all.push_back({m.words[way], m.shapes, m.moves[way], m.words[1 - way]});
    }
    return all;
  }();
  return words;
}

int word_samples(const WordsOptions& o, int label) {
  check_options(o);
  check(Exit::usage, label >= 0 && label < o.classes, "words: label {} of {} classes", label, o.classes);
  if (!o.unbalanced) return o.per_class;
  double sum = 0;
  for (int i = 1; i <= o.classes; ++i) sum += 1 / std::sqrt(i);
  const double share = 1 / std::sqrt(label + 1) / sum;
  return std::max(1, static_cast<int>(o.per_class * o.classes * share + 0.5));
}

int word_signer(const WordsOptions& o, int label, int index) {
  check_sample(o, label, index);
  return (index + 3 * (label / 2)) % word_people;
}

WordVideo::WordVideo(const WordsOptions& o, int label, int index)
    : footage_(std::make_shared<const Footage>(film(o, label, index))) {}

Image WordVideo::frame(int f) const {
  const Footage& video = *footage_;
  check(Exit::usage, f >= 0 && f < video.frames, "words: frame {} of {}", f, video.frames);
  const Posed here = posed(video.take, moment(video.take, f, video.frames));
  Camera camera = video.camera;
  camera.eye = camera.eye - here.place;  // the skin's texture wants the wrist at the origin, so the camera moves
  Canvas canvas = video.backdrop;
  draw_hand({here.bones, here.hand, video.take.who.skin, video.take.light, camera}, canvas);
  Dice photo = video.photo;
  return photograph(std::move(canvas), video.take.light.level, photo);
}

Image WordVideo::clip() const {
  const int side = footage_->backdrop.width;
  Image clip{side, side, {}, footage_->frames};
  for (int f = 0; f < clip.frames; ++f) {
    const Image picture = frame(f);
    clip.rgb.insert(clip.rgb.end(), picture.rgb.begin(), picture.rgb.end());
  }
  return clip;
}

}  // namespace dactyl
