#include "kernels/fast/mean_pool.h"
#include "kernels/fast/max_pool.h"
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

// The same code runs on either device; the automatic way takes it on a GPU alone.
TEST(MeanPool, packs_equal_plain_bodies) {
  const std::vector<std::pair<Shape, PoolOptions>> cases{
      {{2, 3, 7, 7, 16}, {.window = window({2, 7, 7}, {1, 1, 1}, {0, 0, 0})}},
      {{2, 14, 14, 24}, {.window = square(5, 3)}},
      {{1, 6, 6, 8}, {.window = square(3, 2, 1), .rounding = Rounding::ceil}},
      {{1, 3, 5, 6, 72}, {.window = {{3, 2, 3}, {1, 2, 2}, {1, 0, 1}, {1, 0, 0}}}},
      {{3, 9, 40}, {.window = window({4}, {2}, {1})}}};
  on_each_device([&] {
    for (const DType type : {DType::f32, DType::bf16, DType::f16})
      for (auto [shape, options] : cases) {
        SCOPED_TRACE(to_text(shape) + " " + to_text(type));
        options.algorithm = Algorithm::reference;
        const Device device = Context::current().device();
        const Tensor x = sliced(moved(random(shape), type, device), 8).inner;
        const Tensor y = mean_pool(x, options);
        const Tensor dy = sliced(moved(random(y.shape()), type, device), 8).inner;
        const Op plain = [&options](auto& in) { return mean_pool(in[0], options); };
        const Geometry g = geometry(shape, y.shape(), options.window);
        const Tensor into = sliced(y, 8).inner, dx(shape, type, device);
        into.detached().fill(-3);
        ASSERT_TRUE(fast::pools_by_packs(g, x, into));
        fast::mean_pool_forward(g, x, into);
        fast::mean_pool_backward(g, dy, dx);
        expect_same_bits("packs", {into, {dx}}, run(plain, {{x}}, dy));
      }
  });
}

// Whose sums have an order of their own; with the last shape there are too many packs for that.
TEST(MeanPool, whole_pictures_agree_with_plain_bodies) {
  const std::vector<std::pair<Shape, Shape>> cases{
      {{2, 7, 7, 24}, {7, 7}}, {{1, 2, 7, 7, 16}, {2, 7, 7}}, {{3, 1, 1, 8}, {1, 1}}, {{4097, 2, 2, 8}, {2, 2}}};
  on_each_device([&] {
    for (const DType type : {DType::f32, DType::bf16, DType::f16})
      for (const auto& [shape, kernel] : cases) {
        SCOPED_TRACE(to_text(shape) + " " + to_text(type));
        const Shape none = kernel.rank() == 2 ? Shape{0, 0} : Shape{0, 0, 0};
        const Shape one = kernel.rank() == 2 ? Shape{1, 1} : Shape{1, 1, 1};
        const PoolOptions options{.window = window(kernel, one, none), .algorithm = Algorithm::reference};
        const Tensor x = sliced(moved(random(shape), type, Context::current().device()), 8).inner;
        const Tensor y = mean_pool(x, options), into = sliced(y, 8).inner;
        into.detached().fill(-3);
        fast::mean_pool_forward(geometry(shape, y.shape(), options.window), x, into);
        expect_close("y", numbers(into.dense()), numbers(y), tolerance(type));
      }
  });
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
