#include "kernels/ops.h"
#include "tests/check_op.h"

namespace dactyl {

TEST(AdaptiveMean, value) {
  on_each_device([] {
    const Tensor x = Tensor::from({1, 1, 5, 1}, std::vector<float>{1, 2, 4, 8, 16});
    EXPECT_EQ(adaptive_mean(x, 1, 1).floats(), (std::vector<float>{6.2f}));
    EXPECT_EQ(adaptive_mean(x, 1, 2).floats(), (std::vector<float>{7.0f / 3, 28.0f / 3}));  // the middle counts twice
    EXPECT_EQ(adaptive_mean(x, 2, 5).floats(), (std::vector<float>{1, 2, 4, 8, 16, 1, 2, 4, 8, 16}));
  });
}

TEST(AdaptiveMean, everything) {
  check_op([](auto& x) { return adaptive_mean(x[0], 3, 2); }, {random({2, 6, 4, 3})});
  check_op([](auto& x) { return adaptive_mean(x[0], 3, 4); }, {random({2, 7, 5, 3})});
  check_op([](auto& x) { return adaptive_mean(x[0], 5, 7); }, {random({1, 3, 4, 2})});  // more cells than pixels
}

TEST(AdaptiveMean, refuses_nonsense) {
  expect_error([] { adaptive_mean(Tensor::zeros({2, 3, 4}), 1, 1); }, {"adaptive_mean", "(2, 3, 4)"});
  expect_error([] { adaptive_mean(Tensor::zeros({2, 3, 4, 1}), 0, 1); }, {"(2, 3, 4, 1)", "0"});
}

}  // namespace dactyl
