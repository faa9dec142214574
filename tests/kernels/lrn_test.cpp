#include "kernels/ops.h"
#include "tests/check_op.h"

namespace dactyl {

// PyTorch 2.11, LocalResponseNorm in f64.
TEST(Lrn, value) {
  on_each_device([] {
    for (const DType type : {DType::f64, DType::f32}) {
      const Tensor x = Tensor::from({1, 6}, std::vector<float>{1, 2, 3, 4, 5, 6}, type);
      expect_close("a square root", numbers(lrn(x, {.size = 3, .alpha = 0.6, .beta = 0.5, .k = 2})),
                   {0.577350269, 0.912870929, 1.074172311, 1.154700538, 1.198658254, 1.592234677}, 1e-6);
      expect_close("the usual power", numbers(lrn(x, {.size = 5, .alpha = 0.5})),
                   {0.518610814, 0.707106781, 0.736946969, 0.711311764, 0.916783059, 1.184436578}, 1e-6);
    }
  });
}

TEST(Lrn, everything) {
  check_op([](auto& x) { return lrn(x[0], {.alpha = 2}); }, {random({2, 3, 8})}, {.slack = 2});
  check_op([](auto& x) { return lrn(x[0], {.size = 3, .alpha = 0.9, .beta = 0.6, .k = 2}); }, {random({4, 7})},
           {.slack = 2});
  check_op([](auto& x) { return lrn(x[0], {.size = 7, .alpha = 2}); }, {random({5, 3})}, {.slack = 2});  // wider than x
  check_op([](auto& x) { return lrn(x[0], {.size = 1, .alpha = 2}); }, {random({5, 1})}, {.slack = 2});
}

TEST(Lrn, refuses_even_sizes) {
  expect_error([] { lrn(Tensor::zeros({2, 3}), {.size = 4}); }, {"lrn", "4", "(2, 3)"});
}

}  // namespace dactyl
