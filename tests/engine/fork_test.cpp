// Branches side by side: in the order written on the CPU, no memory shared between them.
#include "engine/fork.h"

#include <gtest/gtest.h>

namespace dactyl {
namespace {

TEST(fork, runs_in_the_order_written_on_the_cpu) {
  std::vector<int> order;
  Fork fork;
  for (int i = 0; i < 6; ++i) fork([&order, i] { order.push_back(i); });
  EXPECT_EQ(order, (std::vector<int>{0, 1, 2, 3, 4, 5}));
}

TEST(fork, a_pool_that_holds_gives_nothing_away_twice) {
  Pool pool(Device::cpu());
  void* first = pool.take(1000);
  pool.give(first, 1000);
  EXPECT_EQ(pool.take(1000), first);
  pool.hold(true);
  pool.give(first, 1000);
  void* second = pool.take(1000);
  EXPECT_NE(second, first);
  EXPECT_EQ(pool.in_use(), 2 * 1024) << "nobody can have what is kept for later";
  pool.hold(false);
  EXPECT_EQ(pool.in_use(), 1024);
  EXPECT_EQ(pool.take(1000), first);
  pool.give(first, 1000);
  pool.give(second, 1000);
}

}  // namespace
}  // namespace dactyl
