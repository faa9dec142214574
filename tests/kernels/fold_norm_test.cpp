#include "kernels/ops.h"
#include "tests/check_op.h"

namespace dactyl {

TEST(FoldNorm, equals_convolution_then_normalisation) {
  on_each_device([] {
    const auto tensor = [](const Input& in) { return in.value.to(DType::f32).to(Context::current().device()); };
    const Tensor x = tensor(random({2, 5, 6, 3})), w = tensor(random({4, 3, 3, 3}));
    const Tensor gamma = tensor(random({4}, 0.5, 2)), beta = tensor(random({4}));
    const Tensor mean = tensor(random({4})), var = tensor(random({4}, 0.1, 2));
    for (const Tensor& g : {gamma, Tensor()}) {
      const Folded folded = fold_norm(w, g, beta, mean, var, 1e-3, DType::f32);
      const Tensor plain = batch_norm(conv(x, w, {.window = square(3)}), g, beta, mean, var,
                                      {.statistics = Statistics::frozen, .epsilon = 1e-3});
      expect_close("folded", numbers(conv(x, folded.weight, {.window = square(3), .bias = folded.bias})),
                   numbers(plain), 1e-5);
    }
    EXPECT_EQ(fold_norm(w, gamma, beta, mean, var, 1e-3, DType::bf16).weight.dtype(), DType::bf16);
  });
}

TEST(FoldNorm, refuses_other_shapes) {
  const Tensor three = Tensor::full({3}, 1), four = Tensor::full({4}, 1);
  expect_error(
      [&] {
        fold_norm(Tensor::zeros({4, 1, 1, 2}), {}, three, four, four, 1e-3, DType::f32);
      },
      {"fold_norm", "(4, 1, 1, 2)", "(3)"});
}

}  // namespace dactyl
