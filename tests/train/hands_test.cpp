// The rendered hands: the same picture at every call, letters that differ, people that differ, poses that touch.
#include "train/data/hands.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>
#include <thread>

#include "engine/check.h"
#include "train/data/hand_field.h"
#include "train/data/hand_person.h"
#include "train/data/hand_render.h"

namespace dactyl {
namespace {

using namespace hand;

HandsOptions small(int size = 48) { return {.classes = 26, .per_class = 200, .size = size, .seed = 1}; }

double difference(const Image& a, const Image& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.rgb.size(); ++i) sum += std::abs(int(a.rgb[i]) - int(b.rgb[i]));
  return sum / static_cast<double>(a.rgb.size());
}

const Bone& bone(const Skeleton& bones, Group group, Part part) {
  for (const Bone& b : bones) {
    if (b.group == group && b.part == part) return b;
  }
  throw std::logic_error("no such bone");
}

// The letter as the chart shows it: nothing varied, even light, on a background no hand can have.
Canvas chart(int label, int size, float fill) {
  const HandPose& pose = letter_pose(label);
  const Frame view = orientation(pose);
  const Skeleton bones = turned(skeleton({}, pose), view);
  Dice dice{1};
  const Skin skin = make_skin(0.3f, dice);
  const Light light{
      normalized(Vec{-0.4f, 0.6f, 0.8f}), {0.9f, 0.9f, 0.9f}, {0.4f, 0.4f, 0.4f}, {0.3f, 0.3f, 0.3f}, 0.2f, 1};
  Canvas canvas{size, size, std::vector<Vec>(static_cast<std::size_t>(size * size), Vec{0, 0, -1})};
  draw_hand({bones, view, skin, light, frame_hand(bones, size, size, 6, fill, 0, 0)}, canvas);
  return canvas;
}

double difference(const Canvas& a, const Canvas& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.pixels.size(); ++i) sum += length(a.pixels[i] - b.pixels[i]);
  return sum / static_cast<double>(a.pixels.size());
}

double covered(const Canvas& canvas) {
  double count = 0;
  for (const Vec& p : canvas.pixels) count += p.z >= 0;
  return count / static_cast<double>(canvas.pixels.size());
}

TEST(Hands, SameAddressSamePictureFromAnyThread) {
  const Image here = render_hand(small(), 7, 11);
  Image there;
  std::thread([&] { there = render_hand(small(), 7, 11); }).join();
  EXPECT_EQ(here.rgb, there.rgb);
  EXPECT_EQ(here.rgb, render_hand(small(), 7, 11).rgb);
}

TEST(Hands, IndexLabelAndSeedEachGiveAnotherPicture) {
  const Image first = render_hand(small(), 0, 0);
  EXPECT_GT(difference(first, render_hand(small(), 0, 1)), 5);
  EXPECT_GT(difference(first, render_hand(small(), 1, 0)), 5);
  HandsOptions other = small();
  other.seed = 2;
  EXPECT_GT(difference(first, render_hand(other, 0, 0)), 5);
}

TEST(Hands, MorePicturesOrClassesDoNotChangeTheOthers) {
  HandsOptions fewer = small();
  fewer.per_class = 5, fewer.classes = 4;
  EXPECT_EQ(render_hand(fewer, 3, 4).rgb, render_hand(small(), 3, 4).rgb);
}

TEST(Hands, AnySizeFromOnePixelOn) {
  for (int size : {1, 2, 7, 33}) {
    const Image image = render_hand(small(size), 2, 3);
    EXPECT_EQ(image.height, size);
    EXPECT_EQ(image.width, size);
    EXPECT_EQ(image.rgb.size(), static_cast<std::size_t>(size * size * 3));
  }
}

TEST(Hands, RefusesWhatDoesNotExist) {
  EXPECT_THROW(render_hand(small(0), 0, 0), Error);
  EXPECT_THROW(render_hand(small(5000), 0, 0), Error);
  EXPECT_THROW(render_hand(small(), 26, 0), Error);
  EXPECT_THROW(render_hand(small(), -1, 0), Error);
  EXPECT_THROW(render_hand(small(), 0, 200), Error);
  HandsOptions many = small();
  many.classes = 27;
  EXPECT_THROW(hand_identity(many, 0, 0), Error);
}

TEST(Hands, LettersOfTheChartDifferPairwise) {
  std::vector<Canvas> letters;
  for (int label = 0; label < letter_count; ++label) letters.push_back(chart(label, 64, 0.8f));
  for (std::size_t a = 0; a < letters.size(); ++a) {
    for (std::size_t b = a + 1; b < letters.size(); ++b) {
      EXPECT_GT(difference(letters[a], letters[b]), 0.02)
          << hand_labels(HandSigns::letters)[a] << " and " << hand_labels(HandSigns::letters)[b];
    }
  }
}

TEST(Hands, EverybodySignsEveryLetterEquallyOften) {
  for (int label = 0; label < letter_count; ++label) {
    std::vector<int> count(hand_people);
    for (int index = 0; index < 200; ++index)
      ++count.at(static_cast<std::size_t>(hand_identity(small(), label, index)));
    for (int n : count) EXPECT_EQ(n, 200 / hand_people);
  }
}

TEST(Hands, PeopleDifferWithinAndBetweenSeeds) {
  std::set<std::pair<float, float>> seen;
  for (std::uint64_t seed : {1, 2, 3}) {
    float lightest = 0, darkest = 1;
    for (int id = 0; id < hand_people; ++id) {
      const Person p = make_person(seed, id, hand_people);
      seen.insert({p.shape.finger_length, p.skin.back.x});
      lightest = maximum(lightest, p.skin.back.x), darkest = minimum(darkest, p.skin.back.x);
    }
    EXPECT_GT(lightest, 0.6f);
    EXPECT_LT(darkest, 0.15f);
  }
  EXPECT_EQ(seen.size(), 3u * hand_people);
}

TEST(Hands, FillsTheShareOfTheFrameAskedFor) {
  for (int label = 0; label < letter_count; ++label) {
    const double large = covered(chart(label, 96, 0.85f)), little = covered(chart(label, 96, 0.45f));
    EXPECT_GT(large, 0.15) << hand_labels(HandSigns::letters)[static_cast<std::size_t>(label)];
    EXPECT_LT(large, 0.75) << hand_labels(HandSigns::letters)[static_cast<std::size_t>(label)];
    EXPECT_GT(little, 0.05) << hand_labels(HandSigns::letters)[static_cast<std::size_t>(label)];
    EXPECT_LT(little, large) << hand_labels(HandSigns::letters)[static_cast<std::size_t>(label)];
  }
}

TEST(HandPose, ThumbMeetsTheFingerItTouchesInTheChart) {
  const auto gap = [](char letter, Group finger) {
    const Skeleton bones = skeleton({}, letter_pose(letter - 'A'));
    const Bone &thumb = bone(bones, Group::thumb, Part::distal), &tip = bone(bones, finger, Part::distal);
    return length(thumb.b - tip.b) - thumb.rb - tip.rb;
  };
  // Pads meet, not the middles of the tips: hence the tolerance.
  EXPECT_LT(std::abs(gap('F', Group::index)), 0.08f);
  EXPECT_LT(std::abs(gap('O', Group::middle)), 0.08f);
  EXPECT_LT(std::abs(gap('D', Group::middle)), 0.08f);
  EXPECT_GT(gap('C', Group::index), 0.3f);
  EXPECT_GT(gap('L', Group::index), 0.8f);
}

TEST(HandShape, BonesKeepTheirLengthAndBendToThePalm) {
  HandPose straight = letter_pose('B' - 'A'), bent = straight;
  bent.fingers[1] = {90, 0, 0, 0};
  const Skeleton a = skeleton({}, straight), b = skeleton({}, bent);
  for (Part part : {Part::proximal, Part::intermediate, Part::distal}) {
    const Bone &p = bone(a, Group::middle, part), &q = bone(b, Group::middle, part);
    EXPECT_NEAR(length(p.b - p.a), length(q.b - q.a), 1e-5f);
    EXPECT_NEAR(q.b.y, q.a.y, 1e-4f);
    EXPECT_GT(q.b.z, q.a.z);
  }
}

TEST(HandField, DistanceIsThatOfACapsule) {
  const Skeleton bones = {{{0, 0, 0}, {0, 2, 0}, 0.5f, 0.5f, 0, Group::index, Part::proximal, {}}};
  const Field field(bones);
  const VecLanes p{Lanes{1, 0, -2, 0}, Lanes{1, 4, 0.5f, 1}, Lanes{0, 0, 0, 0.75f}};
  const Lanes d = field.distance(p);
  const float expected[4] = {0.5f, 1.5f, 1.5f, 0.25f};
  for (int i = 0; i < 4; ++i) EXPECT_NEAR(d[i], expected[i], 2e-3f);
  EXPECT_NEAR(field.normal(p).x[0], 1, 2e-2f);
}

TEST(HandVector, SineAndRootAgreeWithTheLibrary) {
  for (float x = -400; x <= 400; x += 3.7f) EXPECT_NEAR(sine(x), std::sin(x * 3.14159265f / 180), 1e-5);
  for (float x = 1e-4f; x < 1e3f; x *= 1.37f) EXPECT_NEAR(root(Lanes{x, x, x, x})[2] / std::sqrt(x), 1, 1e-3);
}

TEST(hands, invented_shapes_are_no_letters) {
  for (int a = 0; a < invented_count; ++a) {
    for (int letter = 0; letter < letter_count; ++letter)
      EXPECT_GT(difference(invented_pose(a), letter_pose(letter)), 25) << a << " and letter " << letter;
    for (int b = 0; b < a; ++b) EXPECT_GT(difference(invented_pose(a), invented_pose(b)), 20) << a << " and " << b;
  }
  HandsOptions options = small();
  options.signs = HandSigns::invented;
  options.classes = 60;
  EXPECT_EQ(render_hand(options, 59, 3).rgb, render_hand(options, 59, 3).rgb);
  EXPECT_GT(difference(render_hand(options, 0, 0), render_hand(small(), 0, 0)), 5);
  EXPECT_EQ(hand_labels(HandSigns::invented).back(), "shape60");
  options.classes = 61;
  EXPECT_THROW(render_hand(options, 0, 0), Error);
}

}  // namespace
}  // namespace dactyl
