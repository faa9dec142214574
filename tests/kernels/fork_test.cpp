// Branches of a captured graph compute what they compute one after the other.
#include "engine/fork.h"

#include <gtest/gtest.h>

#include "engine/graph.h"
#include "kernels/ops.h"

namespace dactyl {
namespace {

// x + count·step in so many passes, each into memory that the next but one may take again.
Tensor climbed(Tensor x, int count, double step) {
  const Tensor one = Tensor::full(x.shape(), 1);
  for (int i = 0; i < count; ++i) x = add(x, one, step);
  return x;
}

TEST(Fork, captured_branches_compute_what_eager_ones_do) {
  if (gpu_count() == 0) GTEST_SKIP() << "no GPU here";
  const Use use(Device::cuda());
  const Tensor x = Tensor::full({1 << 20}, 1);
  std::vector<Tensor> kept;
  for (int i = 0; i < 4; ++i) kept.push_back(Tensor::zeros({1 << 20}));
  Graph graph([&] {
    Tensor results[4];
    {
      Fork fork;
      for (int i = 0; i < 4; ++i) fork([&, i] { results[i] = climbed(x, 40, i + 1); });
    }
    for (std::size_t i = 0; i < 4; ++i) kept[i].copy_from(climbed(results[i], 3, 1));
  });
  for (int run = 0; run < 3; ++run) {
    for (Tensor& t : kept) t.fill(0);
    graph.run();
    for (std::size_t i = 0; i < 4; ++i)
      EXPECT_EQ(kept[i].floats(), std::vector<float>(1 << 20, 1 + 40 * static_cast<float>(i + 1) + 3)) << run;
  }
  EXPECT_TRUE(graph.captured()) << graph.why_eager();
}

}  // namespace
}  // namespace dactyl
