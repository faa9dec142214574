// Figures against scikit-learn (metrics_golden.py beside this file).
#include "train/metrics.h"

#include <gtest/gtest.h>

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

TEST(metrics, equal_scikit_learn) {
  const Metrics m = measure(predictions(), labels);
  EXPECT_EQ(m.samples, 10);
  EXPECT_NEAR(m.top1, 0.6, 1e-12);
  EXPECT_NEAR(m.top5, 0.7, 1e-12);
  EXPECT_NEAR(m.class_average, 2.0 / 3, 1e-12);
  EXPECT_NEAR(m.macro_f1, 0.5809523809523809, 1e-12);
  EXPECT_NEAR(m.weighted_f1, 0.6619047619047619, 1e-12);
  EXPECT_NEAR(m.loss, 0.25, 1e-12);
  EXPECT_NEAR(m.per_class[0].precision, 2.0 / 3, 1e-12);
  EXPECT_NEAR(m.per_class[0].recall, 0.5, 1e-12);
  EXPECT_NEAR(m.per_class[0].f1, 0.5714285714285714, 1e-12);
  EXPECT_EQ(m.per_class[3].precision, 0);
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
  EXPECT_EQ(measure(predictions(), labels, 3, 0).top1_low, 0.6);
}

TEST(metrics, weigh_classes_by_rule) {
  EXPECT_EQ(class_weights("none", {4, 2, 0}), (std::vector<double>{1, 1, 1}));
  EXPECT_EQ(class_weights("maxratio", {4, 2, 0}), (std::vector<double>{1, 2, 1}));
  EXPECT_EQ(class_weights("inverse", {4, 2}), (std::vector<double>{0.75, 1.5}));
  EXPECT_THROW(class_weights("other", {1}), Error);
}

}  // namespace
}  // namespace dactyl
