#include "kernels/winograd.h"

#include "kernels/pointwise.h"
#include "kernels/winograd_grid.h"
#include "tests/check_op.h"

namespace dactyl {
namespace {

struct Case {
  Shape x, w;
  Window window;
  i64 groups;
};

ConvOptions options(const Case& c, Algorithm algorithm, const Tensor& bias = {}, bool relu = false) {
  return {.window = c.window, .groups = c.groups, .bias = bias, .relu = relu, .algorithm = algorithm};
}

// Value and gradients in f32 by what `automatic` takes and by the loops. With relu the value alone: what rounds to
// either side of 0 has another gradient.
void compare(const Case& c) {
  std::vector<Input> inputs;
  for (const Input& in : {random(c.x), random(c.w), random({c.w[0]})})
    inputs.push_back({in.value.to(DType::f32), in.watched});
  const Tensor dy = random(output_shape(c.x, c.window, c.w[0])).value.to(DType::f32);
  const auto by = [&](Algorithm algorithm) {
    const auto op = [&](bool relu) {
      return [&, relu](const std::vector<Tensor>& x) { return conv(x[0], x[1], options(c, algorithm, x[2], relu)); };
    };
    std::vector<Tensor> all = run(op(false), inputs, dy).all();
    all.push_back(run(op(true), inputs).y);
    return all;
  };
  const auto ours = by(Algorithm::automatic), loops = by(Algorithm::reference);
  for (std::size_t i = 0; i < ours.size(); ++i)
    expect_close(to_text(c.x) + " with " + to_text(c.w) + ", result " + std::to_string(i), numbers(ours[i]),
                 numbers(loops[i]), 1e-4);
}

}  // namespace

// Tiles that hang over the edge, channels that fill no vector, groups, padding that differs at the ends.
TEST(Winograd, agrees_with_the_loops) {
  if (!wide_registers()) GTEST_SKIP() << "this processor has no AVX-512";
  const Case cases[] = {{{2, 14, 14, 32}, {48, 3, 3, 32}, square(3, 1, 1), 1},
                        {{1, 29, 31, 24}, {40, 3, 3, 24}, square(3, 1, 0), 1},
                        {{3, 13, 13, 64}, {96, 3, 3, 32}, square(3, 1, 1), 2},
                        {{1, 28, 28, 80}, {144, 3, 3, 80}, square(3, 1, 1), 1},
                        {{2, 14, 14, 32}, {48, 5, 5, 32}, square(5, 1, 2), 1},
                        {{1, 33, 27, 80}, {96, 5, 5, 40}, square(5, 1, 1), 2},
                        {{1, 40, 19, 32}, {32, 3, 3, 32}, {{3, 3}, {1, 1}, {0, 2}, {1, 0}}, 1}};
  for (const Case& c : cases) {
    const Shape y = output_shape(c.x, c.window, c.w[0]);
    EXPECT_TRUE(winograd_pays(c.x, y, c.w, options(c, Algorithm::automatic), true)) << to_text(c.x);
    compare(c);
  }
}

TEST(Winograd, takes_any_number_of_taps_in_depth) {
  if (!wide_registers()) GTEST_SKIP() << "this processor has no AVX-512";
  const Shape x{2, 5, 15, 14, 32};
  compare({x, {32, 3, 3, 3, 32}, same(x, {3, 3, 3}, {1, 1, 1}), 1});
  compare({x, {16, 1, 3, 3, 32}, same(x, {1, 3, 3}, {1, 1, 1}), 1});
  compare({x, {16, 2, 3, 3, 32}, same(x, {2, 3, 3}, {1, 1, 1}), 1});
}

TEST(Winograd, goes_block_by_block) {
  if (!wide_registers()) GTEST_SKIP() << "this processor has no AVX-512";
  const Case cases[] = {{{1, 98, 96, 32}, {32, 3, 3, 32}, square(3, 1, 1), 1},
                        {{1, 5, 64, 62, 16}, {16, 3, 3, 3, 16}, window({3, 3, 3}, {1, 1, 1}, {1, 1, 1}), 1}};
  for (const Case& c : cases) {
    const Shape y = output_shape(c.x, c.window, c.w[0]);
    const WinogradGrid grid(geometry(c.x, y, c.window), Points::four, c.x.channels(), c.w[0]);
    EXPECT_GT(grid.tiles(), grid.block());
    EXPECT_GT(grid.tiles(), grid.long_block());
    compare(c);
  }
}

TEST(Winograd, leaves_the_rest_to_others) {
  const auto pays = [](Shape x, Shape w, Window window) {
    return winograd_pays(x, output_shape(x, window, w[0]), w, {.window = window}, false);
  };
  EXPECT_FALSE(pays({1, 28, 28, 64}, {64, 3, 3, 64}, square(3, 2, 1)));
  EXPECT_FALSE(pays({1, 28, 28, 64}, {64, 7, 7, 64}, square(7, 1, 3)));
  EXPECT_FALSE(pays({1, 28, 28, 3}, {64, 3, 3, 3}, square(3, 1, 1)));
  EXPECT_FALSE(pays({1, 3, 3, 512}, {512, 3, 3, 512}, square(3, 1, 1)));  // filters would cost more than they save
}

// Kept filters are those of the weights as they are now.
TEST(Winograd, sees_that_weights_changed) {
  const Tensor x = random({1, 28, 28, 32}).value.to(DType::f32);
  const Case c{x.shape(), {32, 3, 3, 32}, square(3, 1, 1), 1};
  Tensor w = Tensor::full(c.w, 1.0);
  const Tensor once = conv(x, w, options(c, Algorithm::automatic));
  w.fill(2.0);
  const Tensor twice = conv(x, w, options(c, Algorithm::automatic));
  const std::vector<double> a = numbers(once), b = numbers(twice);
  for (std::size_t i = 0; i < a.size(); ++i) ASSERT_EQ(2 * a[i], b[i]);
}

TEST(Pointwise, agrees_with_the_loops) {
  if (!wide_registers()) GTEST_SKIP() << "this processor has no AVX-512";
  const Case cases[] = {{{2, 14, 14, 48}, {80, 1, 1, 48}, square(1), 1},
                        {{1, 1, 3, 16}, {16, 1, 1, 16}, square(1), 1},
                        {{1, 3, 20, 21, 64}, {208, 1, 1, 1, 64}, {{1, 1, 1}, {1, 1, 1}, {0, 0, 0}, {0, 0, 0}}, 1}};
  for (const Case& c : cases) {
    EXPECT_TRUE(pointwise_fits(c.x, output_shape(c.x, c.window, c.w[0]), c.w, options(c, Algorithm::automatic)));
    compare(c);
  }
}

}  // namespace dactyl
