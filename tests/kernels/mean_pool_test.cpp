#include "kernels/ops.h"
#include "tests/check_op.h"

namespace dactyl {
namespace {

using Values = std::vector<float>;

Op pool_with(Window window, Rounding rounding = Rounding::floor, Algorithm algorithm = Algorithm::automatic) {
  return [=](const std::vector<Tensor>& x) {
    return mean_pool(x[0], {.window = window, .rounding = rounding, .into = {}, .algorithm = algorithm});
  };
}

}  // namespace

TEST(MeanPool, by_hand) {
  on_each_device([] {
    const Tensor x = Tensor::from({1, 2, 2, 2}, Values{1, 10, 2, 20, 3, 30, 6, 60});
    EXPECT_EQ(pool_with(square(2))({x}).floats(), (Values{3, 30}));
  });
}

// Windows of 3 at -1 and 1 over 3 numbers: the padding's zeros count, what lies behind the padding does not.
TEST(MeanPool, divisor_is_clipped_to_input_and_padding) {
  on_each_device([] {
    const Tensor x = Tensor::from({1, 1, 4, 1}, Values{3, 6, 9, 12});
    for (const Algorithm a : {Algorithm::automatic, Algorithm::reference}) {
      const Op op = pool_with({{1, 3}, {1, 3}, {0, 1}, {0, 0}}, Rounding::ceil, a);
      EXPECT_EQ(op({x}).floats(), (Values{3, 10.5}));
    }
  });
}

TEST(MeanPool, everything) {
  check_op(pool_with(square(3, 2, 1)), {random({2, 5, 6, 3})});
  check_op(pool_with(square(3, 2, 1), Rounding::ceil), {random({1, 6, 6, 4})});
  check_op(pool_with(square(2, 3)), {random({1, 7, 5, 2})});
  check_op(pool_with(window({2, 7, 7}, {1, 1, 1}, {0, 0, 0})), {random({1, 3, 7, 7, 2})});
  check_op(pool_with(window({3}, {2}, {1})), {random({2, 7, 3})});
}

TEST(MeanPool, writes_into_a_slice_alone) {
  on_each_device([] {
    const Tensor wide = Tensor::full({1, 1, 1, 3}, -1);
    mean_pool(Tensor::from({1, 1, 2, 1}, Values{4, 6}),
              {.window = window({1, 2}, {1, 1}, {0, 0}), .into = wide.slice(1, 1)});
    EXPECT_EQ(wide.floats(), (Values{-1, 5, -1}));
  });
}

TEST(MeanPool, refuses_nonsense) {
  const Tensor x = Tensor::zeros({1, 4, 4, 1});
  expect_error([&] { pool_with(square(5))({x}); }, {"(5, 5)", "(1, 4, 4, 1)"});
}

TEST(GlobalMean, by_hand) {
  on_each_device([] {
    const Tensor x = Tensor::from({2, 1, 2, 2}, Values{1, 10, 3, 20, 5, 0, 6, 1});
    EXPECT_EQ(global_mean(x).floats(), (Values{2, 15, 5.5, 0.5}));
  });
}

TEST(GlobalMean, everything) {
  check_op([](auto& x) { return global_mean(x[0]); }, {random({2, 3, 3, 4})});
  check_op([](auto& x) { return global_mean(x[0]); }, {random({1, 2, 3, 3, 5})});
}

}  // namespace dactyl
