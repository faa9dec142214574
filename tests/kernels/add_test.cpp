#include "kernels/ops.h"
#include "tests/check_op.h"

namespace dactyl {

TEST(Add, value) {
  const Tensor a = Tensor::from({3}, std::vector<float>{1, 2, 3}),
               b = Tensor::from({3}, std::vector<float>{10, 20, 30});
  EXPECT_EQ(add(a, b).floats(), (std::vector<float>{11, 22, 33}));
  EXPECT_EQ(add(a, b, -0.5).floats(), (std::vector<float>{-4, -8, -12}));
}

TEST(Add, everything) {
  check_op([](auto& x) { return add(x[0], x[1]); }, {random({2, 3, 4}), random({2, 3, 4})});
  check_op([](auto& x) { return add(x[0], x[1], 0.3); }, {random({5, 7}), random({5, 7})});
  check_op([](auto& x) { return add(x[0], x[0], 0.3); }, {random({5, 7})});  // both gradients meet in one slot
}

TEST(Add, refuses_other_shapes) {
  expect_error([] { add(Tensor::zeros({1, 4}), Tensor::zeros({2, 3})); }, {"add", "(1, 4)", "(2, 3)"});
  expect_error([] { add(Tensor::zeros({2}), Tensor::zeros({2}, DType::f64)); }, {"f32 (2)", "f64 (2)"});
}

}  // namespace dactyl
