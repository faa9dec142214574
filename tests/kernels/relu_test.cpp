#include "kernels/ops.h"
#include "tests/check_op.h"

namespace dactyl {

TEST(Relu, value) {
  const Tensor y = relu(Tensor::from({2, 2}, std::vector<float>{-1, 0, 2, -3}));
  EXPECT_EQ(y.floats(), (std::vector<float>{0, 0, 2, 0}));
}

TEST(Relu, shows_nan) { EXPECT_TRUE(std::isnan(relu(Tensor::scalar(NAN)).item())); }

TEST(Relu, everything) {
  check_op([](auto& x) { return relu(x[0]); }, {random({2, 3, 4})});
  check_op([](auto& x) { return relu(x[0]); }, {random({0, 4})});
  check_op([](auto& x) { return relu(x[0]); }, {random({7, 11, 13})});  // 125 packs of a narrow type and one number
  check_op([](auto& x) { return relu(x[0]); }, {random({1, 1, 1, 1})});
}

}  // namespace dactyl
