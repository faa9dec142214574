// Figures against scikit-learn (metrics_golden.py beside this file wrote metrics_golden.csv).
#include "train/metrics.h"

#include <gtest/gtest.h>

#include <map>

#include "train/data/csv.h"

namespace dactyl {
namespace {

std::vector<Prediction> predictions() {
  const int truth[] = {0, 0, 0, 0, 1, 1, 1, 2, 2, 4}, found[] = {0, 0, 1, 3, 1, 1, 0, 2, 3, 4};
  std::vector<Prediction> all;
  for (int i = 0; i < 10; ++i)
    all.push_back(
        {.name = std::to_string(i), .label = truth[i], .top = {found[i], 1}, .p = {0.5f, 0.2f}, .loss = 0.25});
  return all;
}
const std::vector<std::string> labels{"a", "b", "c", "d", "e", "f"};

// One set of predictions and what scikit-learn says of it.
struct Golden {
  std::map<std::string, double> figures;
  std::map<std::string, std::vector<double>> lists;  // by sample or class
};

std::vector<Golden> golden() {
  std::vector<Golden> sets;
  for (const Row& row : read_csv(DACTYL_GOLDEN).rows) {
    sets.resize(std::stoul(row[0]) + 1);
    const double value = std::stod(row[3]);
    if (row[2].empty())
      sets.back().figures[row[1]] = value;
    else
      sets.back().lists[row[1]].push_back(value);
  }
  return sets;
}

TEST(metrics, equal_scikit_learn) {
  const std::vector<Golden> sets = golden();
  ASSERT_EQ(sets.size(), 6u);
  for (const Golden& g : sets) {
    const auto &truth = g.lists.at("truth"), &found = g.lists.at("found");
    std::vector<Prediction> all;
    for (std::size_t i = 0; i < truth.size(); ++i)
      all.push_back({.label = static_cast<int>(truth[i]), .top = {static_cast<int>(found[i])}});
    const Metrics m =
        measure(all, std::vector<std::string>(static_cast<std::size_t>(g.figures.at("classes")), "x"), 1, 0);
    EXPECT_NEAR(m.top1, g.figures.at("accuracy"), 1e-14);
    EXPECT_NEAR(m.class_average, g.figures.at("balanced_accuracy"), 1e-14);
    EXPECT_NEAR(m.macro_f1, g.figures.at("macro_f1"), 1e-14);
    EXPECT_NEAR(m.weighted_f1, g.figures.at("weighted_f1"), 1e-14);
    EXPECT_NEAR(m.macro_f1_top10, g.figures.at("macro_f1_top10"), 1e-14);
    EXPECT_NEAR(m.macro_f1_top20, g.figures.at("macro_f1_top20"), 1e-14);
    for (std::size_t c = 0; c < m.per_class.size(); ++c) {
      EXPECT_EQ(m.per_class[c].samples, g.lists.at("support")[c]);
      EXPECT_NEAR(m.per_class[c].precision, g.lists.at("precision")[c], 1e-14) << c;
      EXPECT_NEAR(m.per_class[c].recall, g.lists.at("recall")[c], 1e-14) << c;
      EXPECT_NEAR(m.per_class[c].f1, g.lists.at("f1")[c], 1e-14) << c;
    }
  }
}

TEST(metrics, class_weights_equal_scikit_learn_and_the_papers_ratio) {
  for (const Golden& g : golden()) {
    std::vector<i64> counts;
    for (const double n : g.lists.at("support")) counts.push_back(static_cast<i64>(n));
    const std::vector<double> inverse = class_weights("inverse", counts), ratio = class_weights("maxratio", counts);
    for (std::size_t c = 0; c < counts.size(); ++c) {
      EXPECT_NEAR(inverse[c], g.lists.at("balanced_weight")[c], 1e-13) << c;
      EXPECT_NEAR(ratio[c], g.lists.at("largest_weight")[c], 1e-13) << c;
    }
  }
}

TEST(metrics, count_hits_among_the_first_five) {
  const Metrics m = measure(predictions(), labels);
  EXPECT_EQ(m.samples, 10);
  EXPECT_NEAR(m.top5, 0.7, 1e-12);
  EXPECT_NEAR(m.loss, 0.25, 1e-12);
  EXPECT_EQ(m.per_class[3].predicted, 2);
  EXPECT_EQ(m.confusion[0][3], 1);
}

TEST(metrics, intervals_hold_the_value_and_repeat) {
  const Metrics a = measure(predictions(), labels, 3), b = measure(predictions(), labels, 3);
  EXPECT_LT(a.top1_low, 0.6);
  EXPECT_GT(a.top1_high, 0.6);
  EXPECT_GE(a.top1_low, 0.2);
  EXPECT_EQ(a.top1_low, b.top1_low);
  EXPECT_EQ(a.macro_f1_high, b.macro_f1_high);
  EXPECT_EQ(measure(predictions(), labels, 3, 0).macro_f1_low, a.macro_f1);
}

// The roots of (p - hits/n)² = z² p (1 - p) / n, worked out with 50 digits.
TEST(metrics, the_interval_of_accuracy_is_wilsons) {
  const auto expect = [](i64 hits, i64 samples, double low, double high) {
    const auto [l, h] = wilson_interval(hits, samples);
    EXPECT_NEAR(l, low, 1e-12) << hits << " of " << samples;
    EXPECT_NEAR(h, high, 1e-12) << hits << " of " << samples;
  };
  expect(0, 10, 0, 0.2775327998628893);
  expect(10, 10, 0.7224672001371107, 1);
  expect(6, 10, 0.3126737697336583, 0.8318196702937639);
  expect(1, 350, 0.0005045340416373603, 0.01600415558496242);
  expect(3500, 5000, 0.6871483895563285, 0.7125445296656486);
}

TEST(metrics, all_right_is_not_certainty) {
  std::vector<Prediction> all;
  for (int i = 0; i < 20; ++i) all.push_back({.label = i % 2, .top = {i % 2}});
  const Metrics m = measure(all, {"a", "b"});
  EXPECT_EQ(m.top1, 1);
  EXPECT_NEAR(m.top1_low, 0.8389, 1e-4);
  EXPECT_EQ(m.top1_high, 1);
  EXPECT_LT(m.macro_f1_low, 1);
}

TEST(metrics, the_most_frequent_classes_in_the_order_of_labels_where_equal) {
  std::vector<Prediction> all;
  std::vector<std::string> names;
  for (int c = 0; c < 25; ++c) names.push_back("class" + std::to_string(c));
  const auto add = [&](int truth, int found) { all.push_back({.label = truth, .top = {found}}); };
  for (int c = 0; c < 24; ++c) add(c, c < 10 ? c : 24);  // class24 is only ever predicted
  for (int k = 0; k < 3; ++k) add(20, 20);
  const Metrics m = measure(all, names, 1, 0);
  const auto top = most_frequent(m, 10);
  ASSERT_EQ(top.size(), 10u);
  EXPECT_EQ(top[0].label, "class20");
  for (std::size_t k = 1; k < 10; ++k) EXPECT_EQ(top[k].label, names[k - 1]);
  EXPECT_EQ(most_frequent(m, 100).size(), 24u);
  const double first = 2.0 * 3 / (4 + 3);
  EXPECT_NEAR(m.macro_f1_top10, (first + 9) / 10, 1e-12);
  EXPECT_NEAR(m.macro_f1_top20, (first + 10) / 20, 1e-12);
}

TEST(metrics, weigh_classes_by_rule) {
  EXPECT_EQ(class_weights("none", {4, 2, 0}), (std::vector<double>{1, 1, 1}));
  EXPECT_EQ(class_weights("maxratio", {4, 2, 0}), (std::vector<double>{1, 2, 1}));
  EXPECT_EQ(class_weights("inverse", {4, 2}), (std::vector<double>{0.75, 1.5}));
  EXPECT_EQ(class_weights("inverse", {4, 0, 2}), (std::vector<double>{0.75, 1, 1.5}));
  EXPECT_THROW(class_weights("other", {1}), Error);
}

}  // namespace
}  // namespace dactyl
