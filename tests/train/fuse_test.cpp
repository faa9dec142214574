// Late fusion against what must come out: useless and complementary streams, weights that never saw their labels.
#include "train/fuse.h"

#include <gtest/gtest.h>

#include <cmath>

#include "engine/random.h"

namespace dactyl {
namespace {

constexpr int classes = 5;

// A stream whose scores favour the truth by `skill(label)`, over noise of its own.
template <class Skill>
LogitStream stream(const std::string& name, i64 samples, std::uint64_t seed, const Skill& skill) {
  LogitStream s{name, {.path = name + ".csv"}};
  for (int c = 0; c < classes; ++c) s.logits.labels.push_back("class" + std::to_string(c));
  Sequence noise(seed);
  for (i64 i = 0; i < samples; ++i) {
    const int truth = static_cast<int>(i % classes);
    s.logits.names.push_back("videos/clip" + std::to_string(i));
    s.logits.truth.push_back(truth);
    for (int c = 0; c < classes; ++c)
      s.logits.values.push_back(static_cast<float>(noise.normal() + (c == truth ? skill(truth) : 0)));
  }
  return s;
}
auto constant_skill(double value) {
  return [value](int) { return value; };
}
// Knows some classes only.
auto half_skill(bool low) {
  return [low](int truth) { return (truth < 3) == low ? 4.0 : 0.0; };
}

LogitStream renamed(LogitStream s, const std::string& prefix) {
  for (std::string& name : s.logits.names) name = prefix + name;
  return s;
}

const Combination& last(const Fusion& f) { return f.combinations.back(); }

template <class Work>
void expect_error(Exit exit, const std::string& part, const Work& work) {
  try {
    work();
    ADD_FAILURE() << "no error: " << part;
  } catch (const Error& e) {
    EXPECT_EQ(e.exit(), exit);
    EXPECT_NE(std::string(e.what()).find(part), std::string::npos) << e.what();
  }
}

// Two streams and two kinds of samples: where the first says a to the truth and the second b, and the other way round.
// With the shares q and 1 - q the best weights have a closed form when b = 0: they are the shares themselves.
TEST(fuse, weights_of_streams_that_know_different_samples_are_their_shares) {
  TruthOdds odds;
  for (int i = 0; i < 100; ++i) odds.push_back(i < 30 ? std::vector{0.8, 0.0} : std::vector{0.0, 0.4});
  const std::vector<double> w = fitted_weights(odds, 2);
  EXPECT_NEAR(w[0], 0.3, 1e-6);
  EXPECT_NEAR(w[1], 0.7, 1e-6);
}

// By brute force over a fine grid: no other weights do better.
TEST(fuse, no_point_of_the_simplex_is_better) {
  Sequence draw(5);
  TruthOdds odds;
  for (int i = 0; i < 60; ++i) odds.push_back({draw.uniform(), draw.uniform(), draw.uniform() * draw.uniform()});
  const auto loss = [&](const std::vector<double>& w) {
    double sum = 0;
    for (const auto& p : odds) sum -= std::log(w[0] * p[0] + w[1] * p[1] + w[2] * p[2]);
    return sum / static_cast<double>(odds.size());
  };
  const std::vector<double> w = fitted_weights(odds, 3);
  EXPECT_NEAR(w[0] + w[1] + w[2], 1, 1e-12);
  for (int a = 0; a <= 100; ++a)
    for (int b = 0; a + b <= 100; ++b)
      EXPECT_GE(loss({a / 100.0, b / 100.0, (100 - a - b) / 100.0}), loss(w) - 1e-6) << a << ' ' << b;
}

TEST(fuse, a_useless_stream_gets_no_weight) {
  const Fusion f = fuse({stream("good", 400, 1, constant_skill(3)), stream("noise", 400, 2, constant_skill(0))}, {}, 1);
  ASSERT_EQ(f.combinations.size(), 3u);
  for (const auto& w : last(f).weights) EXPECT_LT(w[1], 0.02);
  EXPECT_GT(last(f).fitted.top1, last(f).equal.top1);
  EXPECT_EQ(f.best_single, 0u);
}

TEST(fuse, complementary_streams_beat_both) {
  const Fusion f = fuse({stream("low", 500, 1, half_skill(true)), stream("high", 500, 2, half_skill(false))}, {}, 1);
  const double low = f.combinations[0].fitted.top1, high = f.combinations[1].fitted.top1;
  EXPECT_GT(last(f).fitted.top1, std::max(low, high) + 0.05);
  EXPECT_NEAR(f.gain.top1, last(f).fitted.top1 - std::max(low, high), 1e-12);
  EXPECT_GT(f.gain.low, 0);
  EXPECT_LT(f.gain.low, f.gain.top1);
  EXPECT_GT(f.gain.high, f.gain.top1);
  EXPECT_NEAR(static_cast<double>(f.gain.better - f.gain.worse) / 500, f.gain.top1, 1e-12);
}

TEST(fuse, a_single_stream_stays_what_it_was) {
  const LogitStream s = stream("one", 100, 3, constant_skill(1));
  const Fusion f = fuse({s}, {}, 1);
  i64 hits = 0;
  for (i64 i = 0; i < 100; ++i)
    hits += std::max_element(s.logits.row(i), s.logits.row(i) + classes) - s.logits.row(i) ==
            s.logits.truth[static_cast<std::size_t>(i)];
  EXPECT_NEAR(last(f).fitted.top1, static_cast<double>(hits) / 100, 1e-12);
  EXPECT_EQ(last(f).fitted.top1, last(f).equal.top1);
  EXPECT_EQ(f.gain.top1, 0);
}

TEST(fuse, the_mean_is_of_probabilities) {
  LogitStream a{"a", {"a.csv", {"x", "y"}, {"n"}, {0}, {std::log(0.9f), std::log(0.1f)}}};
  LogitStream b{"b", {"b.csv", {"x", "y"}, {"n"}, {0}, {7 + std::log(0.3f), 7 + std::log(0.7f)}}};
  const Fusion f = fuse({a, b}, {}, 1);  // one sample: nothing to fit on, so weights are equal
  EXPECT_NEAR(f.predictions[0].p[0], 0.6, 1e-6);
  EXPECT_NEAR(f.predictions[0].loss, -std::log(0.6), 1e-6);
  EXPECT_NEAR(f.predictions[0].scores[1], std::log(0.4), 1e-6);
}

// If labels of reported samples reached the fit, other labels would give other weights.
TEST(fuse, weights_fitted_elsewhere_do_not_depend_on_the_reported_labels) {
  std::vector<LogitStream> streams{stream("a", 200, 1, constant_skill(2)), stream("b", 200, 2, constant_skill(1))};
  const std::vector<LogitStream> fit{renamed(stream("a", 200, 3, constant_skill(2)), "fit/"),
                                     renamed(stream("b", 200, 4, constant_skill(1)), "fit/")};
  const auto before = last(fuse(streams, fit, 1)).weights;
  ASSERT_EQ(before.size(), 1u);
  EXPECT_GT(before[0][0], 0.5);
  for (LogitStream& s : streams)
    for (int& truth : s.logits.truth) truth = (truth + 1) % classes;
  EXPECT_EQ(last(fuse(streams, fit, 1)).weights, before);
}

// Ruins what the streams say about one half: the weights which that half gets were fitted on the other one, and stay;
// those of the other half, fitted here, change.
TEST(fuse, a_halfs_weights_come_from_the_other_half) {
  std::vector<LogitStream> streams{stream("a", 200, 1, constant_skill(2)), stream("b", 200, 2, constant_skill(1))};
  const Fusion before = fuse(streams, {}, 1);
  for (std::size_t i = 0; i < before.set.size(); ++i)
    if (before.set[i] == 0)
      for (int c = 0; c < classes; ++c) streams[0].logits.values[i * classes + static_cast<std::size_t>(c)] = 0;
  const Fusion after = fuse(streams, {}, 1);
  ASSERT_EQ(last(before).weights.size(), 2u);
  EXPECT_EQ(last(after).weights[0], last(before).weights[0]);
  EXPECT_LT(last(after).weights[1][0], last(before).weights[1][0] - 0.05);
}

TEST(fuse, halves_share_every_class) {
  std::vector<int> truth;
  for (int c = 0; c < 20; ++c) truth.insert(truth.end(), static_cast<std::size_t>(c % 4 + 1), c);
  const std::vector<int> half = halves(truth, 20, 7);
  EXPECT_EQ(half, halves(truth, 20, 7));
  EXPECT_NE(half, halves(truth, 20, 8));
  std::vector<int> balance(20);
  int all = 0;
  for (std::size_t i = 0; i < half.size(); ++i) {
    balance[static_cast<std::size_t>(truth[i])] += half[i] ? 1 : -1;
    all += half[i] ? 1 : -1;
  }
  for (const int b : balance) EXPECT_LE(std::abs(b), 1);
  EXPECT_LE(std::abs(all), 1);
}

TEST(fuse, all_combinations_are_there_small_ones_first) {
  std::vector<LogitStream> streams;
  for (int s = 0; s < 4; ++s)
    streams.push_back(stream(std::to_string(s), 20, 1u + static_cast<unsigned>(s), constant_skill(1)));
  std::vector<std::vector<std::size_t>> seen;
  for (const Combination& c : fuse(streams, {}, 1).combinations) seen.push_back(c.streams);
  ASSERT_EQ(seen.size(), 15u);
  EXPECT_EQ(seen[4], (std::vector<std::size_t>{0, 1}));
  EXPECT_EQ(seen[14], (std::vector<std::size_t>{0, 1, 2, 3}));
  streams.resize(9, streams[0]);
  expect_error(Exit::usage, "9 streams", [&] { fuse(streams, {}, 1); });
}

TEST(fuse, samples_that_one_stream_lacks_are_left_out_of_all) {
  std::vector<LogitStream> streams{stream("a", 30, 1, constant_skill(1)), stream("b", 28, 2, constant_skill(1))};
  streams[0].logits.names[4] = "videos/other";
  const float score = streams[0].logits.row(7)[2];
  const std::vector<Missing> left_out = join(streams);
  ASSERT_EQ(left_out.size(), 2u);
  EXPECT_EQ(left_out[0].stream, "a");
  EXPECT_EQ(left_out[0].samples, 1);
  EXPECT_EQ(left_out[0].example, "videos/clip4");
  EXPECT_EQ(left_out[1].samples, 3);
  for (const LogitStream& s : streams) EXPECT_EQ(s.logits.samples(), 27);
  const auto& names = streams[0].logits.names;
  const auto at = std::find(names.begin(), names.end(), "videos/clip7") - names.begin();
  EXPECT_EQ(streams[0].logits.row(at)[2], score);
}

TEST(fuse, the_order_of_samples_and_the_folder_they_lie_in_do_not_matter) {
  std::vector<LogitStream> streams{stream("a", 30, 1, constant_skill(1)), stream("b", 30, 2, constant_skill(1))},
      other = streams;
  other[1] = renamed(other[1], "elsewhere/");
  std::reverse(other[1].logits.names.begin(), other[1].logits.names.end());
  std::reverse(other[1].logits.truth.begin(), other[1].logits.truth.end());
  std::vector<float> values;
  for (i64 i = 29; i >= 0; --i)
    values.insert(values.end(), streams[1].logits.row(i), streams[1].logits.row(i) + classes);
  other[1].logits.values = values;
  join(streams);
  EXPECT_TRUE(join(other).empty());
  EXPECT_EQ(other[1].logits.values, streams[1].logits.values);
}

TEST(fuse, what_does_not_fit_together_is_one_line) {
  const LogitStream a = stream("a", 10, 1, constant_skill(1)), b = stream("b", 10, 2, constant_skill(1));
  const auto joined = [&](const auto& change) {
    std::vector<LogitStream> streams{a, b};
    change(streams[1].logits);
    join(streams);
  };
  expect_error(Exit::data, "class 2 is \"class1\" in a and \"x\" in b",
               [&] { joined([](Logits& l) { l.labels[1] = "x"; }); });
  expect_error(Exit::data, "a has 5 classes, b has 6", [&] { joined([](Logits& l) { l.labels.push_back("x"); }); });
  expect_error(Exit::data, "sample \"videos/clip3\" is \"class3\" in a and \"class0\" in b",
               [&] { joined([](Logits& l) { l.truth[3] = 0; }); });
  expect_error(Exit::data, "no sample is in all streams", [&] {
    joined([](Logits& l) {
      for (std::string& name : l.names) name += ".mp4";
    });
  });
  expect_error(Exit::data, "would fit the weights and be reported", [&] { fuse({a, b}, {a, b}, 1); });
  std::vector<LogitStream> moved{a, b};
  for (LogitStream& s : moved)
    for (std::string& name : s.logits.names) name = "/elsewhere/" + name;
  expect_error(Exit::data, "the name and the scores", [&] { fuse({a, b}, moved, 1); });
  expect_error(Exit::usage, "2 streams", [&] { fuse({a, b}, {a}, 1); });
}

}  // namespace
}  // namespace dactyl
