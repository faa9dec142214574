// Recordings of words: a word and its partner show the same stances in opposite orders; each motion is what it is
// called; the hand stays in the picture.
#include "train/data/hand_take.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "train/data/words.h"

namespace dactyl {
namespace {

using namespace hand;

constexpr int words = 2 * motion_count, frames = 40;

int label_of(const std::string& name) {
  for (int label = 0; label < words; ++label)
    if (hand_words()[static_cast<std::size_t>(label)].name == name) return label;
  throw std::logic_error("no word " + name);
}

std::vector<float> numbers(const Stance& s) {
  const HandPose& p = s.pose;
  std::vector<float> all = {s.place.x,  s.place.y,       s.place.z,        p.yaw,        p.pitch,
                            p.roll,     p.thumb.spread,  p.thumb.palmar,   p.thumb.roll, p.thumb.mcp,
                            p.thumb.ip, p.wrist_flexion, p.wrist_deviation};
  for (const FingerPose& f : p.fingers) all.insert(all.end(), {f.mcp, f.spread, f.pip, f.dip});
  return all;
}

float bent(const Stance& s, int finger) { return s.pose.fingers[finger].mcp + s.pose.fingers[finger].pip; }
float all_bent(const Stance& s) { return bent(s, 0) + bent(s, 1) + bent(s, 2) + bent(s, 3); }

TEST(HandTake, AWordPlayedBackwardsIsItsPartnerBitForBit) {
  for (int label = 0; label < words; ++label) {
    for (int n : {1, 2, 7, 40}) {
      const Take take = make_take(1, label, n, n % word_people);
      Take partner = take;
      partner.backwards = !take.backwards;
      for (int f = 0; f < n; ++f) {
        const Stance here = moment(take, f, n), there = moment(partner, n - 1 - f, n);
        EXPECT_EQ(numbers(here), numbers(there));
        EXPECT_EQ(posed(take, here).place.x, posed(partner, there).place.x);
      }
      EXPECT_EQ(frame_path(take, 64).scale, frame_path(partner, 64).scale);
    }
  }
}

// Mean and standard error over takes of the mean over frames: what a single frame drawn at random shows.
std::pair<double, double> single_frame(int label, std::size_t which, bool squared) {
  constexpr int takes = 300;
  double sum = 0, squares = 0;
  for (int i = 0; i < takes; ++i) {
    const Take take = make_take(7, label, i, i % word_people);
    double mean = 0;
    for (int f = 0; f < frames; ++f) {
      const double x = numbers(moment(take, f, frames))[which];
      mean += (squared ? x * x : x) / frames;
    }
    sum += mean, squares += mean * mean;
  }
  const double mean = sum / takes;
  return {mean, std::sqrt(std::max(0.0, squares / takes - mean * mean) / takes)};
}

TEST(HandTake, SingleFramesOfPartnersHaveTheSameDistribution) {
  for (int label = 0; label < words; label += 2) {
    for (std::size_t which : {0, 1, 2, 3, 13, 15, 25}) {  // place, yaw, joints of index and little finger
      for (bool squared : {false, true}) {
        const auto [a, error_a] = single_frame(label, which, squared);
        const auto [b, error_b] = single_frame(label + 1, which, squared);
        EXPECT_LT(std::abs(a - b), 4.5 * std::hypot(error_a, error_b) + 1e-9) << label << " number " << which;
      }
    }
  }
}

TEST(HandTake, StrokesDoWhatTheirNamesSay) {
  using Quantity = std::function<float(const Stance&)>;
  const std::pair<const char*, Quantity> rising[] = {{"up", [](const Stance& s) { return s.place.y; }},
                                                     {"right", [](const Stance& s) { return s.place.x; }},
                                                     {"near", [](const Stance& s) { return s.place.z; }},
                                                     {"hide", [](const Stance& s) { return s.pose.yaw; }},
                                                     {"close", all_bent},
                                                     {"count_down", all_bent},
                                                     {"zigzag_up", [](const Stance& s) { return s.place.y; }},
                                                     {"no", [](const Stance& s) { return s.pose.yaw; }}};
  for (const auto& [name, quantity] : rising) {
    for (int i = 0; i < 20; ++i) {
      const int label = label_of(name), partner = label ^ 1;
      const Take take = make_take(1, label, i, i), back = make_take(1, partner, i, i);
      EXPECT_GT(quantity(moment(take, frames - 1, frames)), quantity(moment(take, 0, frames))) << name;
      EXPECT_LT(quantity(moment(back, frames - 1, frames)), quantity(moment(back, 0, frames))) << name;
    }
  }
}

TEST(HandTake, LoopsGoTheWayTheyAreCalled) {
  for (int i = 0; i < 20; ++i) {
    for (const auto& [name, sign] : {std::pair{"clockwise", -1}, {"counterclockwise", 1}}) {
      const Take take = make_take(1, label_of(name), i, i);
      double area = 0;
      for (int f = 1; f < frames; ++f) {
        const Vec a = moment(take, f - 1, frames).place, b = moment(take, f, frames).place;
        area += a.x * b.y - a.y * b.x;
      }
      EXPECT_GT(area * sign, 1) << name;
    }
    // After the index finger is curled most, the middle finger comes next.
    for (const auto& [name, sign] : {std::pair{"ripple_out", 1}, {"ripple_in", -1}}) {
      const Take take = make_take(1, label_of(name), i, i);
      double later = 0;
      for (int f = 1; f < frames; ++f) {
        const Stance a = moment(take, f - 1, frames), b = moment(take, f, frames);
        later += bent(a, 0) * bent(b, 1) - bent(a, 1) * bent(b, 0);
      }
      EXPECT_GT(later * sign, 0) << name;
    }
  }
}

TEST(HandTake, StartsAndEndsAtRestAndNeverTurnsBack) {
  for (int label = 0; label < words; ++label) {
    const Take take = make_take(3, label, 5, 2);
    const int stations = motion(take.motion).stations;
    if (stations) {
      EXPECT_EQ(progress(take, 0), 0);
      EXPECT_EQ(progress(take, 0.02f), 0);
      EXPECT_EQ(progress(take, 1), static_cast<float>(stations - 1));
    }
    for (int i = 0; i < 100; ++i)
      EXPECT_GE(progress(take, static_cast<float>(i + 1) / 100) + 1e-6f, progress(take, static_cast<float>(i) / 100));
  }
}

TEST(HandTake, TheHandStaysInThePicture) {
  constexpr int size = 100;
  for (int label = 0; label < words; ++label) {
    for (int i = 0; i < 10; ++i) {
      const Take take = make_take(1, label, i, i);
      const Camera camera = frame_path(take, size);
      for (int f = 0; f < frames; f += 3) {
        const Posed here = posed(take, moment(take, f, frames));
        for (const Bone& bone : here.bones) {
          if (bone.part == Part::forearm || bone.part == Part::cloth) continue;
          const Vec p = bone.b + here.place - camera.eye;
          EXPECT_NEAR(camera.column - camera.scale * p.x / p.z, size / 2.0, size / 2.0) << label;
          EXPECT_NEAR(camera.row + camera.scale * p.y / p.z, size / 2.0, size / 2.0) << label;
        }
      }
    }
  }
}

}  // namespace
}  // namespace dactyl
