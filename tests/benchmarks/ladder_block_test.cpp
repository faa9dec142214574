// Blocks of threads behave on the CPU as on a GPU, and faults that a GPU would hide or hang on are found there.
#include <gtest/gtest.h>

#include <set>

#include "benchmarks/ladder/tensor_core.h"
#include "tests/compare.h"
#include "tests/inputs.h"

namespace dactyl::ladder {
namespace {

// Writes what the neighbour left in shared memory.
struct Neighbour {
  static constexpr int threads = 64, resident = 1;
  struct Shared {
    float v[threads];
  };
  bool with_barrier;
  float* y;
  void operator()(const Thread& t, Shared& s) const {
    s.v[t.index] = static_cast<float>(t.index);
    if (with_barrier) t.sync();
    y[t.block * threads + t.index] = s.v[(t.index + 1) % threads];
  }
};

TEST(Blocks, a_missing_barrier_reads_nan) {
  for (const bool with_barrier : {true, false}) {
    std::vector<float> y(128);
    blocks(Device::cpu(), 2, Neighbour{with_barrier, y.data()});
    int wrong = 0;
    for (std::size_t i = 0; i < 128; ++i) wrong += y[i] != static_cast<float>((i + 1) % 64);
    EXPECT_EQ(wrong > 0, !with_barrier) << wrong;
  }
}

struct Divergent {
  static constexpr int threads = 64, resident = 1;
  struct Shared {};
  int leaving;
  void operator()(const Thread& t, Shared&) const {
    if (t.index != leaving) t.sync();
  }
};

TEST(Blocks, a_barrier_that_not_all_reach_is_an_error) {
  blocks(Device::cpu(), 3, Divergent{-1});
  for (const int leaving : {0, 33, 63})
    expect_error([&] { blocks(Device::cpu(), 1, Divergent{leaving}); }, {"63 of 64 threads wait"});
}

// Brings 16 bytes and looks at them before or after waiting.
struct Brought {
  static constexpr int threads = 32, resident = 1;
  struct Shared {
    alignas(16) bf16 v[2][8];
  };
  const bf16* x;
  int* counts;  // of right numbers: before any wait, after a wait for the first group, after a wait for both
  void operator()(const Thread& t, Shared& s) const {
    if (t.index > 0) return;
    for (int i = 0; i < 2; ++i) {
      copy_async(t, s.v[i], x, i == 0);
      commit(t);
    }
    const auto right = [&] { return (float(s.v[0][7]) == 7) + (float(s.v[1][7]) == 0); };
    counts[0] = right();
    wait_copies<1>(t);
    counts[1] = right();
    wait_copies<0>(t);
    counts[2] = right();
  }
};

TEST(Blocks, copies_arrive_when_they_are_waited_for) {
  alignas(16) bf16 x[8];
  for (int i = 0; i < 8; ++i) x[i] = bf16(static_cast<float>(i));
  int counts[3];
  blocks(Device::cpu(), 1, Brought{x, counts});
  EXPECT_EQ(counts[0], 0);
  EXPECT_EQ(counts[1], 1);
  EXPECT_EQ(counts[2], 2);
}

// From the PTX manual's figures of mma.m16n8k16 for bf16, lane 5: group 1, thread 1 of it.
TEST(Fragments, lie_as_the_manual_says) {
  const std::vector<std::pair<int, int>> a{{1, 2}, {1, 3}, {9, 2}, {9, 3}, {1, 10}, {1, 11}, {9, 10}, {9, 11}},
      b{{2, 1}, {3, 1}, {10, 1}, {11, 1}}, sum{{1, 2}, {1, 3}, {9, 2}, {9, 3}};
  const auto expect = [](const Cell& cell, const std::pair<int, int>& want) {
    EXPECT_EQ(std::pair(cell.row, cell.column), want);
  };
  for (int i = 0; i < 8; ++i) expect(cell_of_a(5, i), a[static_cast<std::size_t>(i)]);
  for (int i = 0; i < 4; ++i) expect(cell_of_b(5, i), b[static_cast<std::size_t>(i)]);
  for (int i = 0; i < 4; ++i) expect(cell_of_sum(5, i), sum[static_cast<std::size_t>(i)]);
  std::set<std::pair<int, int>> of_a, of_b, of_sum;
  for (int lane = 0; lane < 32; ++lane)
    for (int i = 0; i < 8; ++i) {
      of_a.insert({cell_of_a(lane, i).row, cell_of_a(lane, i).column});
      if (i < 4) of_b.insert({cell_of_b(lane, i).row, cell_of_b(lane, i).column});
      if (i < 4) of_sum.insert({cell_of_sum(lane, i).row, cell_of_sum(lane, i).column});
    }
  EXPECT_EQ(of_a.size(), 256u);
  EXPECT_EQ(of_b.size(), 128u);
  EXPECT_EQ(of_sum.size(), 128u);
}

}  // namespace
}  // namespace dactyl::ladder
