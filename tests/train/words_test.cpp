// The moving hands: the same frames at every call, counts, errors, and a motion that a reader of its name would expect.
#include "train/data/words.h"

#include <gtest/gtest.h>

#include <functional>
#include <thread>

#include "engine/check.h"
#include "train/data/hand_take.h"

namespace dactyl {
namespace {

using namespace hand;

constexpr int words = 2 * motion_count;

WordsOptions small(int size = 40) { return {.frames = 12, .size = size}; }

std::string error_of(const std::function<void()>& f) {
  try {
    f();
  } catch (const Error& e) {
    EXPECT_EQ(e.exit(), Exit::usage);
    return e.what();
  }
  return "";
}

TEST(Words, SameAddressSameFrameInAnyOrderFromAnyThread) {
  const Image clip = WordVideo(small(), 5, 3).clip();
  ASSERT_EQ(clip.frames, 12);
  ASSERT_EQ(clip.height, 40);
  ASSERT_EQ(clip.width, 40);
  WordsOptions fewer = small();
  fewer.classes = 6, fewer.per_class = 4;
  const WordVideo again(fewer, 5, 3);
  std::vector<std::jthread> threads;
  for (int f = 11; f >= 0; --f) threads.emplace_back([&, f] { EXPECT_EQ(again.frame(f).rgb, frame_of(clip, f).rgb); });
}

TEST(Words, SeedIndexAndLabelEachGiveAnotherVideo) {
  const Image first = WordVideo(small(), 4, 0).frame(0);
  EXPECT_NE(first.rgb, WordVideo(small(), 4, 1).frame(0).rgb);
  EXPECT_NE(first.rgb, WordVideo(small(), 5, 0).frame(0).rgb);
  WordsOptions other = small();
  other.seed = 2;
  EXPECT_NE(first.rgb, WordVideo(other, 4, 0).frame(0).rgb);
  EXPECT_NE(make_take(1, 4, 0, 0).who.shape.finger_length, make_take(2, 4, 0, 0).who.shape.finger_length);
}

TEST(Words, TheHandMovesAndTheRestStandsStill) {
  for (int label = 0; label < words; ++label) {
    const WordVideo video(small(), label, 0);
    const Image a = video.frame(1), b = video.frame(7);
    int moved = 0;
    for (std::size_t i = 0; i < a.rgb.size(); ++i) moved += a.rgb[i] != b.rgb[i];
    const double share = moved / static_cast<double>(a.rgb.size());
    EXPECT_GT(share, 0.02) << hand_words()[static_cast<std::size_t>(label)].name;
    EXPECT_LT(share, 0.8) << hand_words()[static_cast<std::size_t>(label)].name;
  }
}

TEST(Words, PartnersHaveTheSameShapesAndSigners) {
  WordsOptions o = small();
  o.per_class = 7;
  ASSERT_EQ(hand_words().size(), std::size_t{words});
  for (int label = 0; label < words; label += 2) {
    const Word &a = hand_words()[static_cast<std::size_t>(label)],
               &b = hand_words()[static_cast<std::size_t>(label + 1)];
    EXPECT_EQ(a.partner, b.name);
    EXPECT_EQ(b.partner, a.name);
    EXPECT_EQ(a.shapes, b.shapes);
    EXPECT_NE(a.motion, b.motion);
    for (int i = 0; i < o.per_class; ++i) EXPECT_EQ(word_signer(o, label, i), word_signer(o, label + 1, i));
  }
}

TEST(Words, UnbalancedCountsHaveOneLargeClassAndATail) {
  WordsOptions o;
  o.unbalanced = true;
  int sum = 0, large = 0;
  for (int label = 0; label < words; ++label) sum += word_samples(o, label);
  for (int label = 0; label < words; ++label) {
    large += 10 * word_samples(o, label) > sum;
    EXPECT_LE(word_samples(o, label), word_samples(o, label > 0 ? label - 1 : 0));
  }
  EXPECT_EQ(large, 1);
  EXPECT_NEAR(sum, 600, 10);
  EXPECT_EQ(word_samples(o, 0), 79);
  EXPECT_EQ(word_samples(o, 19), 18);
  o.per_class = 1;
  EXPECT_EQ(word_samples(o, 19), 1);
}

TEST(Words, RefusesWhatDoesNotExist) {
  const auto with = [](int classes, int per_class, int frames, int size) {
    return error_of([=] {
      WordsOptions o{.classes = classes, .per_class = per_class, .frames = frames, .size = size};
      WordVideo(o, 0, 0);
    });
  };
  EXPECT_NE(with(21, 1, 1, 8).find("words: 21 classes; 1 to 20 are possible"), std::string::npos);
  EXPECT_NE(with(0, 1, 1, 8).find("words: 0 classes"), std::string::npos);
  EXPECT_NE(with(2, 0, 1, 8).find("words: 0 per class; 1 to 100000"), std::string::npos);
  EXPECT_NE(with(2, 1, 0, 8).find("words: 0 frames; 1 to 1000"), std::string::npos);
  EXPECT_NE(with(2, 1, 1001, 8).find("words: 1001 frames"), std::string::npos);
  EXPECT_NE(with(2, 1, 1, 4097).find("words: frames of 4097 pixels; 1 to 4096"), std::string::npos);
  EXPECT_NE(error_of([] { word_samples(small(), 20); }).find("words: label 20 of 20 classes"), std::string::npos);
  EXPECT_NE(error_of([] { WordVideo(small(), 0, 30); }).find("words: sample 30 of 30 of up"), std::string::npos);
  EXPECT_NE(error_of([] { WordVideo(small(8), 0, 0).frame(12); }).find("words: frame 12 of 12"), std::string::npos);
}

TEST(Words, AnySizeAndNumberOfFramesFromOneOn) {
  for (int size : {1, 2, 9}) {
    const Image clip = WordVideo({.frames = 1, .size = size}, 3, 0).clip();
    EXPECT_EQ(clip.rgb.size(), static_cast<std::size_t>(3 * size * size));
  }
}

}  // namespace
}  // namespace dactyl
