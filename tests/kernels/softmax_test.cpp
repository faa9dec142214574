#include "kernels/ops.h"
#include "tests/check_op.h"

namespace dactyl {

TEST(Softmax, value) {
  on_each_device([] {
    const Tensor y = softmax(Tensor::from({2, 3}, std::vector<float>{1, 2, 3, 1001, 1002, 1003}));
    const std::vector<double> want{0.090030573, 0.244728471, 0.665240956};
    expect_close("row 0", numbers(y.rows(0, 1)), want, 1e-6);
    expect_close("a row of large numbers", numbers(y.rows(1, 1)), want, 1e-6);
  });
}

TEST(Softmax, leaves_out_minus_infinity_and_shows_nan) {
  const Tensor y = softmax(Tensor::from({2, 3}, std::vector<float>{-INFINITY, 0, 0, NAN, 0, 0}));
  EXPECT_EQ(y.rows(0, 1).floats(), (std::vector<float>{0, 0.5f, 0.5f}));
  EXPECT_TRUE(std::isnan(y.floats()[4]));
}

TEST(Softmax, everything) {
  check_op([](auto& x) { return softmax(x[0]); }, {random({3, 7}, -4, 4)});
  check_op([](auto& x) { return softmax(x[0]); }, {random({2, 2, 300}, -4, 4)}, {.slack = 2});
  check_op([](auto& x) { return softmax(x[0]); }, {random({4, 1})});
}

TEST(Softmax, refuses_nothing_to_sum) {
  expect_error([] { softmax(Tensor::zeros({2, 0})); }, {"softmax", "(2, 0)"});
}

}  // namespace dactyl
