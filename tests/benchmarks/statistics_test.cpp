// Quantiles, thinning, and whether two series of times differ.
#include "benchmarks/statistics.h"

#include <gtest/gtest.h>

#include "engine/random.h"

namespace dactyl {
namespace {

std::vector<double> times(double middle, double noise, int count, std::uint64_t seed) {
  Sequence random(seed);
  std::vector<double> all;
  for (int i = 0; i < count; ++i) all.push_back(middle * (1 + noise * random.normal()));
  return all;
}

TEST(Statistics, quantiles_lie_between_neighbours) {
  const Spread s = spread({5, 1, 2, 4, 3});
  EXPECT_DOUBLE_EQ(s.median, 3);
  EXPECT_DOUBLE_EQ(s.p10, 1.4);
  EXPECT_DOUBLE_EQ(s.p90, 4.6);
  EXPECT_EQ(s.runs, 5);
  EXPECT_DOUBLE_EQ(spread({1, 2}).median, 1.5);
  EXPECT_EQ(spread({}).runs, 0);
  EXPECT_DOUBLE_EQ(quantile({7}, 0.9), 7);
}

TEST(Statistics, thinning_keeps_order_and_spread) {
  std::vector<double> all;
  for (int i = 0; i < 1000; ++i) all.push_back(i);
  const std::vector<double> few = thinned(all, 100);
  ASSERT_EQ(few.size(), 100u);
  EXPECT_TRUE(std::is_sorted(few.begin(), few.end()));
  EXPECT_NEAR(spread(few).median, 500, 10);
  EXPECT_EQ(thinned(all, 2000), all);
}

TEST(Statistics, a_tenth_more_time_is_seen_through_noise) {
  const Ratio r = ratio_of_medians(times(10, 0.03, 100, 1), times(11, 0.03, 100, 2));
  EXPECT_NEAR(r.value, 1.1, 0.02);
  EXPECT_LT(r.low, r.value);
  EXPECT_GT(r.high, r.value);
  EXPECT_TRUE(r.slower());
  EXPECT_FALSE(r.faster());
  const Ratio back = ratio_of_medians(times(11, 0.03, 100, 2), times(10, 0.03, 100, 1));
  EXPECT_TRUE(back.faster());
  EXPECT_FALSE(back.slower());
}

// The interval's promise: of equal work, about one pair in twenty is called different.
TEST(Statistics, equal_work_is_seldom_called_different) {
  int different = 0;
  for (std::uint64_t i = 0; i < 100; ++i) {
    const Ratio r = ratio_of_medians(times(10, 0.1, 60, 2 * i + 1), times(10, 0.1, 60, 2 * i + 2), 400, i);
    different += r.slower() || r.faster();
  }
  EXPECT_LE(different, 13);
}

TEST(Statistics, the_same_numbers_give_the_same_interval) {
  const std::vector<double> a = times(10, 0.1, 30, 1), b = times(10, 0.1, 30, 2);
  EXPECT_EQ(ratio_of_medians(a, b).low, ratio_of_medians(a, b).low);
}

}  // namespace
}  // namespace dactyl
