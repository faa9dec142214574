#include "kernels/gemm.h"
#include "tests/check_op.h"

namespace dactyl {
namespace {

using Values = std::vector<float>;

Op linear_with(bool relu, Algorithm algorithm = Algorithm::automatic) {
  return [=](const std::vector<Tensor>& x) {
    return linear(x[0], x[1], {.bias = x.size() > 2 ? x[2] : Tensor(), .relu = relu, .algorithm = algorithm});
  };
}

Tensor product(const Tensor& a, bool transpose_a, const Tensor& b, bool transpose_b, Shape shape) {
  Tensor c(shape);
  gemm(c, a, transpose_a, b, transpose_b);
  return c;
}

}  // namespace

TEST(Gemm, by_hand_in_all_four_orders) {
  on_each_device([] {
    const Tensor a = Tensor::from({2, 3}, Values{1, 2, 3, 4, 5, 6}),
                 at = Tensor::from({3, 2}, Values{1, 4, 2, 5, 3, 6});
    const Tensor b = Tensor::from({3, 2}, Values{1, 0, 0, 1, 2, 2}),
                 bt = Tensor::from({2, 3}, Values{1, 0, 2, 0, 1, 2});
    const Values want{7, 8, 16, 17};
    EXPECT_EQ(product(a, false, b, false, {2, 2}).floats(), want);
    EXPECT_EQ(product(at, true, b, false, {2, 2}).floats(), want);
    EXPECT_EQ(product(a, false, bt, true, {2, 2}).floats(), want);
    EXPECT_EQ(product(at, true, bt, true, {2, 2}).floats(), want);
  });
}

TEST(Gemm, refuses_nonsense) {
  const Tensor a = Tensor::zeros({2, 3});
  expect_error([&] { product(a, false, a, false, {2, 3}); }, {"gemm", "(2, 3)"});
}

TEST(Linear, by_hand) {
  on_each_device([] {
    const Tensor x = Tensor::from({2, 2}, Values{1, 2, 3, 4}), w = Tensor::from({3, 2}, Values{1, 0, 0, 1, -1, -1});
    const Tensor bias = Tensor::from({3}, Values{10, 20, 1});
    for (const Algorithm a : {Algorithm::automatic, Algorithm::reference}) {
      EXPECT_EQ(linear_with(false, a)({x, w, bias}).floats(), (Values{11, 22, -2, 13, 24, -6}));
      EXPECT_EQ(linear_with(true, a)({x, w, bias}).floats(), (Values{11, 22, 0, 13, 24, 0}));
      EXPECT_EQ(linear_with(false, a)({x.rows(0, 1), w}).floats(), (Values{1, 2, -3}));
    }
  });
}

TEST(Linear, reads_an_image_as_a_row) {
  on_each_device([] {
    const Tensor x = Tensor::from({1, 2, 1, 2}, Values{1, 2, 3, 4}), w = Tensor::from({1, 4}, Values{1, 10, 100, 1000});
    EXPECT_EQ(linear(x, w).floats(), (Values{4321}));
  });
}

TEST(Linear, everything) {
  check_op(linear_with(false), {random({3, 5}), random({4, 5}), random({4})});
  check_op(linear_with(true), {random({3, 8}), random({16, 8}), random({16})});
  check_op(linear_with(true), {random({1, 37}), random({19, 37}), random({19})});
  check_op(linear_with(false), {random({2, 2, 3, 4}), random({8, 24})});
  check_op(linear_with(false), {fixed(random({2, 3})), random({1, 3}), fixed(random({1}))});
}

TEST(Linear, relu_equals_relu_after) {
  const Op after = [](auto& x) { return relu(linear_with(false)(x)); };
  check_same(linear_with(true), after, {random({3, 7}), random({5, 7}), random({5})});
}

TEST(Linear, refuses_nonsense) {
  expect_error([] { linear(Tensor::zeros({2, 5}), Tensor::zeros({3, 4})); }, {"(2, 5)", "(3, 4)"});
  expect_error(
      [] {
        linear(Tensor::zeros({2, 4}), Tensor::zeros({3, 4}), {.bias = Tensor::zeros({4})});
      },
      {"(4)", "(2, 3)"});
}

}  // namespace dactyl
