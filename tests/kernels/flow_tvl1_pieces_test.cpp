// The pieces of TV-L1 that can be right or wrong by themselves.
#include <algorithm>

#include "kernels/flow_tvl1_rule.h"
#include "kernels/flow_tvl1_warp.h"
#include "tests/inputs.h"

namespace dactyl {
namespace {

template <int N>
void check_median() {
  Sequence random(test_seed(), N);
  for (int trial = 0; trial < 3000; ++trial) {
    float values[N], sorted[N];
    const i64 distinct = 1 + random.below(2 * N);  // few: many equal numbers
    for (float& v : values) v = static_cast<float>(random.below(distinct));
    std::copy_n(values, N, sorted);
    std::sort(sorted, sorted + N);
    ASSERT_EQ(median<N>(values), sorted[N / 2]);
  }
}

}  // namespace

TEST(FlowTvl1Pieces, median) {
  check_median<3>();
  check_median<5>();
  check_median<9>();
  check_median<25>();
}

// Every second iteration, and not before the change can have come below the bound by one bound per iteration.
TEST(FlowTvl1Pieces, the_change_is_asked_for_rarely) {
  const tvl1::Rule rule{.warps = 1, .iterations = 20, .rounds = 1, .median = 0, .every = false, .bound = 1};
  tvl1::Progress progress;
  std::vector<int> asked;
  for (int n = 0; !progress.done(); ++n) {
    if (progress.wants_change(rule)) asked.push_back(n);
    progress.advance(rule, n < 11 ? 5.5 - n / 2 : 0.5);
  }
  EXPECT_EQ(asked, (std::vector<int>{1, 7, 11}));  // 5.5 at 1: below 1 at 6 at the soonest; 2.5 at 7; 0.5 at 11: done
}

TEST(FlowTvl1Pieces, the_change_is_asked_for_always) {
  const tvl1::Rule rule{.warps = 1, .iterations = 4, .rounds = 2, .median = 5, .every = true, .bound = 1};
  tvl1::Progress progress;
  std::vector<int> filtered;
  int n = 0;
  for (; !progress.done(); ++n) {
    EXPECT_TRUE(progress.wants_change(rule));
    if (progress.filters(rule)) filtered.push_back(n);
    progress.advance(rule, 2);
  }
  EXPECT_EQ(n, 8);
  EXPECT_EQ(filtered, (std::vector<int>{0, 4}));
}

TEST(FlowTvl1Pieces, cubic_weights) {
  for (const float slope : {-0.5f, -0.75f})
    for (const float t : {0.0f, 0.25f, 0.5f, 0.9f}) {
      float w[4];
      tvl1::cubic_weights(t, slope, w);
      EXPECT_NEAR(w[0] + w[1] + w[2] + w[3], 1, 1e-6);
      EXPECT_NEAR(-w[0] + w[2] + 2 * w[3], t, slope == -0.5f ? 1e-6 : 0.13);  // −1/2 alone keeps straight lines
      EXPECT_NEAR(w[1], t == 0 ? 1 : w[1], 0);
    }
}

TEST(FlowTvl1Pieces, positions_outside) {
  const tvl1::Weights edge{.cubic = -0.5f, .subpixel = 0, .zero_outside = false};
  const tvl1::Weights zero{.cubic = -0.75f, .subpixel = 32, .zero_outside = true};
  for (const float far : {-1e30f, -9.0f, 17.0f, 1e30f, std::numeric_limits<float>::quiet_NaN()}) {
    const tvl1::Taps a(far, 8, edge), b(far, 8, zero);
    for (int k = 0; k < 4; ++k) {
      EXPECT_GE(a.at[k], 0);
      EXPECT_LT(a.at[k], 8);
      EXPECT_EQ(b.weight[k], 0);
    }
  }
  EXPECT_EQ(tvl1::Taps(3.3f, 8, zero).weight[1], tvl1::Taps(3.3125f, 8, zero).weight[1]);  // 3.3 is nearest to 106/32
}

}  // namespace dactyl
