#include "kernels/ops.h"
#include "tests/check_op.h"

namespace dactyl {

TEST(Relu6, value) {
  const Tensor y = relu6(Tensor::from({2, 3}, std::vector<float>{-1, 0, 2, 6, 7, 5.5}));
  EXPECT_EQ(y.floats(), (std::vector<float>{0, 0, 2, 6, 6, 5.5}));
}

TEST(Relu6, shows_nan) { EXPECT_TRUE(std::isnan(relu6(Tensor::scalar(NAN)).item())); }

TEST(Relu6, everything) {
  check_op([](auto& x) { return relu6(x[0]); }, {random({2, 3, 4}, -4, 10)});
  check_op([](auto& x) { return relu6(x[0]); }, {random({0, 4})});
  check_op([](auto& x) { return relu6(x[0]); }, {random({1, 1, 1, 1})});
}

}  // namespace dactyl
