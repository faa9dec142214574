#include "kernels/ops.h"
#include "tests/check_op.h"

namespace dactyl {
namespace {
Tensor scores() { return Tensor::from({3, 3}, std::vector<float>{1, 2, 3, 0, -1, 1, 2, 2, 0}); }
Tensor labels() { return Tensor::from({3}, std::vector<std::int32_t>{2, 0, -1}); }
}  // namespace

// PyTorch 2.11 in f64; the third sample has no label.
TEST(CrossEntropy, value) {
  on_each_device([] {
    EXPECT_NEAR(cross_entropy(scores(), labels()).item(), 0.907605964, 1e-6);
    EXPECT_NEAR(cross_entropy(scores(), labels(), {.smoothing = 0.1}).item(), 0.957605964, 1e-6);
    const Tensor weights = Tensor::from({3}, std::vector<float>{2, 1, 0.5f});
    EXPECT_NEAR(cross_entropy(scores(), labels(), {.class_weights = weights}).item(), 1.509507456, 1e-6);
    EXPECT_EQ(cross_entropy(scores().to(DType::bf16), labels()).dtype(), DType::f32);
  });
}

TEST(CrossEntropy, large_scores_do_not_overflow) {
  const Tensor x = Tensor::from({1, 2}, std::vector<float>{1000, -1000});
  EXPECT_EQ(cross_entropy(x, Tensor::from({1}, std::vector<std::int32_t>{0})).item(), 0);
  EXPECT_EQ(cross_entropy(x, Tensor::from({1}, std::vector<std::int32_t>{1})).item(), 2000);
}

TEST(CrossEntropy, no_sample_has_no_loss_and_no_gradient) {
  on_each_device([] {
    Tensor x = scores();
    x.watch();
    Tape tape;
    const Tensor loss = cross_entropy(x, Tensor::from({3}, std::vector<std::int32_t>{-1, -1, -1}));
    EXPECT_EQ(loss.item(), 0);
    tape.backward(loss);
    EXPECT_EQ(x.grad().floats(), std::vector<float>(9, 0));
  });
}

TEST(CrossEntropy, everything) {
  const Input some = integers({4}, {2, 0, -1, 6}), weights = fixed(wide(random({7}, 0.5, 2)));
  check_op([](auto& x) { return cross_entropy(x[0], x[1]); }, {random({4, 7}, -3, 3), some}, {.slack = 2});
  check_op([](auto& x) { return cross_entropy(x[0], x[1], {.smoothing = 0.2}); }, {random({4, 7}, -3, 3), some},
           {.slack = 2});
  check_op([](auto& x) { return cross_entropy(x[0], x[1], {.class_weights = x[2], .smoothing = 0.2}); },
           {random({4, 7}, -3, 3), some, weights}, {.slack = 2});
  check_op([](auto& x) { return add(cross_entropy(x[0], x[1]), cross_entropy(x[2], x[1]), 0.3); },
           {random({4, 7}, -3, 3), some, random({4, 7})}, {.slack = 2});  // dy is not 1
}

TEST(CrossEntropy, equals_softmax_and_logarithm) {
  const std::vector<double> p = numbers(softmax(scores()));
  EXPECT_NEAR(cross_entropy(scores(), labels()).item(), -(std::log(p[2]) + std::log(p[3])) / 2, 1e-6);
}

TEST(CrossEntropy, refuses_nonsense) {
  const Tensor far = Tensor::from({3}, std::vector<std::int32_t>{0, 1, 3});
  expect_error([&] { cross_entropy(scores(), far); }, {"label 3 of sample 2", "(3, 3)"});
  expect_error([] { cross_entropy(Tensor::zeros({2, 3}), labels()); }, {"cross_entropy", "(2, 3)", "(3)"});
  expect_error([] { cross_entropy(scores(), labels(), {.class_weights = Tensor::zeros({2})}); }, {"(3, 3)", "(2)"});
  expect_error([] { cross_entropy(scores(), labels(), {.smoothing = 2}); }, {"smoothing 2"});
}

}  // namespace dactyl
