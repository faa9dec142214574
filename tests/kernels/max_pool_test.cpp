#include "kernels/ops.h"
#include "tests/check_op.h"

namespace dactyl {
namespace {

using Values = std::vector<float>;

Op pool_with(Window window, Rounding rounding = Rounding::floor, Algorithm algorithm = Algorithm::automatic) {
  return [=](const std::vector<Tensor>& x) {
    return max_pool(x[0], {.window = window, .rounding = rounding, .into = {}, .algorithm = algorithm});
  };
}

}  // namespace

TEST(MaxPool, by_hand) {
  on_each_device([] {
    const Tensor x = Tensor::from({1, 3, 3, 1}, Values{1, 5, 2, -3, 4, 9, 7, 8, 0});
    for (const Algorithm a : {Algorithm::automatic, Algorithm::reference}) {
      EXPECT_EQ(pool_with(square(2), Rounding::floor, a)({x}).floats(), (Values{5, 9, 8, 9}));
      EXPECT_EQ(pool_with(square(2, 2), Rounding::floor, a)({x}).floats(), (Values{5}));
      EXPECT_EQ(pool_with(square(2, 2), Rounding::ceil, a)({x}).floats(), (Values{5, 9, 8, 0}));
    }
  });
}

TEST(MaxPool, padding_is_lower_than_any_number) {
  on_each_device([] {
    const Tensor x = Tensor::from({1, 1, 2, 1}, Values{-5, -7});
    EXPECT_EQ(pool_with(square(3, 1, 1))({x}).floats(), (Values{-5, -5}));
  });
}

TEST(MaxPool, ties_go_to_the_first) {
  on_each_device([] {
    for (const Algorithm a : {Algorithm::automatic, Algorithm::reference}) {
      const std::vector<Input> inputs{{Tensor::full({1, 2, 2, 1}, 3)}};
      const Outcome out = run(pool_with(square(2), Rounding::floor, a), inputs, Tensor::full({1, 1, 1, 1}, 2));
      EXPECT_EQ(out.dx[0].floats(), (Values{2, 0, 0, 0}));
    }
  });
}

TEST(MaxPool, writes_into_a_slice_alone) {
  on_each_device([] {
    const Tensor wide = Tensor::full({1, 1, 2, 3}, -1);
    max_pool(Tensor::from({1, 1, 2, 1}, Values{4, 6}), {.window = square(1), .into = wide.slice(1, 1)});
    EXPECT_EQ(wide.floats(), (Values{-1, 4, -1, -1, 6, -1}));
  });
}

TEST(MaxPool, everything) {
  check_op(pool_with(square(3, 2, 1)), {random({2, 5, 6, 3})});
  check_op(pool_with(square(3, 2), Rounding::ceil), {random({1, 6, 6, 4})});
  check_op(pool_with(square(2, 3)), {random({1, 7, 5, 2})});
  check_op(pool_with({{3, 3}, {2, 2}, {0, 0}, {1, 1}}), {random({1, 6, 6, 8})});
  check_op(pool_with(window({3, 3, 3}, {1, 1, 1}, {1, 1, 1})), {random({1, 3, 3, 4, 2})});
  check_op(pool_with(window({1, 3, 3}, {1, 2, 2}, {0, 0, 0})), {random({2, 2, 5, 5, 5})});
  check_op(pool_with(window({3}, {2}, {0})), {random({2, 7, 3})});
  check_op(pool_with(square(17, 1, 8)), {random({1, 9, 8, 1})});  // more taps than a byte counts
}

TEST(MaxPool, fast_path_equals_reference) {
  const std::vector<Input> inputs{{random({2, 28, 28, 192}).value.to(DType::f32)}};
  const Tensor dy = random({2, 14, 14, 192}).value.to(DType::f32);
  expect_same_bits("rows", run(pool_with(square(3, 2), Rounding::ceil), inputs, dy),
                   run(pool_with(square(3, 2), Rounding::ceil, Algorithm::reference), inputs, dy));
}

TEST(MaxPool, refuses_nonsense) {
  const Tensor x = Tensor::zeros({1, 4, 4, 1});
  expect_error([&] { pool_with(square(2, 1, 2))({x}); }, {"(2, 2)", "(1, 4, 4, 1)"});
  expect_error([&] { pool_with(window({3}, {1}, {0}))({x}); }, {"(3)", "(1, 4, 4, 1)"});
}

}  // namespace dactyl
