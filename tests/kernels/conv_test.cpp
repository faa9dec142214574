#include "kernels/ops.h"
#include "tests/check_op.h"

namespace dactyl {
namespace {

using Values = std::vector<float>;

Values counting(i64 n, float first = 1) {
  Values v(static_cast<std::size_t>(n));
  std::iota(v.begin(), v.end(), first);
  return v;
}

// conv of inputs x, w and, if there is a third, bias.
Op conv_with(Window window, i64 groups = 1, bool relu = false, Algorithm algorithm = Algorithm::automatic) {
  return [=](const std::vector<Tensor>& x) {
    return conv(x[0], x[1],
                {.window = window,
                 .groups = groups,
                 .bias = x.size() > 2 ? x[2] : Tensor(),
                 .relu = relu,
                 .into = {},
                 .algorithm = algorithm});
  };
}

Tensor plain(const Tensor& x, const Tensor& w, Window window, Algorithm algorithm = Algorithm::automatic) {
  return conv_with(window, 1, false, algorithm)({x, w});
}

}  // namespace

TEST(Window, extents) {
  const Shape x{2, 112, 112, 64};
  EXPECT_EQ(output_shape(x, square(3, 2), 64), (Shape{2, 55, 55, 64}));
  EXPECT_EQ(output_shape(x, square(3, 2), 64, Rounding::ceil), (Shape{2, 56, 56, 64}));
  EXPECT_EQ(output_shape({1, 5, 5, 1}, square(1, 7), 3), (Shape{1, 1, 1, 3}));
  EXPECT_EQ(output_shape({1, 4, 4, 1}, square(2, 3), 1, Rounding::ceil), (Shape{1, 2, 2, 1}));
  EXPECT_EQ(output_shape({1, 2, 2, 1}, square(2, 3, 1), 1, Rounding::ceil), (Shape{1, 1, 1, 1}));  // else all padding
}

TEST(Window, same_pads_the_end_more) {
  const Window w = same({1, 224, 5, 3}, {7, 3}, {2, 1});
  EXPECT_EQ(w.low, (Shape{2, 1}));
  EXPECT_EQ(w.high, (Shape{3, 1}));
  EXPECT_EQ(output_shape({1, 224, 5, 3}, w, 1), (Shape{1, 112, 5, 1}));
}

// The library's own relu would make the NaN a 0 and the search would name an innocent operation, or none.
TEST(Conv, a_searched_nan_survives_the_relu) {
  const Tensor x = Tensor::from({1, 1, 3, 1}, Values{-1, NAN, 2}), w = Tensor::from({1, 1, 1, 1}, Values{1});
  const Tensor fine = Tensor::from({1, 1, 3, 1}, Values{-1, 0, 2});
  const Op op = conv_with(square(1), 1, true);
  Context::current().check_finite = true;
  try {
    op({x, w});
    ADD_FAILURE() << "no error came";
  } catch (const Error& error) {
    EXPECT_EQ(error.exit(), Exit::numerics);
    EXPECT_EQ(std::string(error.what()).rfind("conv", 0), 0u) << error.what();
  }
  EXPECT_EQ(op({fine, w}).floats(), (Values{0, 0, 2}));
  Context::current().check_finite = false;
  EXPECT_EQ(op({fine, w}).floats(), (Values{0, 0, 2}));
}

TEST(Conv, by_hand) {
  on_each_device([] {
    const Tensor x = Tensor::from({1, 3, 3, 1}, counting(9)), w = Tensor::from({1, 2, 2, 1}, Values{1, 2, 3, 4});
    for (const Algorithm a : {Algorithm::automatic, Algorithm::reference}) {
      EXPECT_EQ(plain(x, w, square(2), a).floats(), (Values{37, 47, 67, 77}));
      // Padded at the end only: the last row and column see zeros.
      const Tensor y = plain(x, w, {{2, 2}, {2, 2}, {0, 0}, {1, 1}}, a);
      EXPECT_EQ(y.floats(), (Values{37, 3 * 1 + 6 * 3, 7 * 1 + 8 * 2, 9}));
      EXPECT_EQ(plain(x, w, square(2, 5), a).floats(), (Values{37}));
    }
  });
}

TEST(Conv, bias_and_relu_by_hand) {
  on_each_device([] {
    const Tensor x = Tensor::from({1, 1, 2, 2}, Values{1, 2, 3, 4}),
                 w = Tensor::from({2, 1, 1, 2}, Values{1, 1, -1, 0});
    const Tensor bias = Tensor::from({2}, Values{10, 2});
    EXPECT_EQ(conv_with(square(1))({x, w, bias}).floats(), (Values{13, 1, 17, -1}));
    EXPECT_EQ(conv_with(square(1), 1, true)({x, w, bias}).floats(), (Values{13, 1, 17, 0}));
  });
}

TEST(Conv, groups_see_their_channels_only) {
  on_each_device([] {
    const Tensor x = Tensor::from({1, 1, 1, 4}, Values{1, 2, 3, 4}),
                 w = Tensor::from({2, 1, 1, 2}, Values{1, 10, 1, 10});
    EXPECT_EQ(conv_with(square(1), 2)({x, w}).floats(), (Values{21, 43}));
  });
}

TEST(Conv, three_dimensions_by_hand) {
  on_each_device([] {
    const Tensor x = Tensor::from({1, 2, 2, 2, 1}, counting(8)), w = Tensor::full({1, 2, 2, 2, 1}, 1);
    EXPECT_EQ(plain(x, w, window({2, 2, 2}, {1, 1, 1}, {0, 0, 0})).floats(), (Values{36}));
    const Tensor padded = plain(x, w, {{2, 2, 2}, {1, 1, 1}, {1, 0, 0}, {0, 0, 0}});
    EXPECT_EQ(padded.floats(), (Values{10, 36}));
  });
}

TEST(Conv, writes_into_a_slice_alone) {
  on_each_device([] {
    const Tensor x = Tensor::from({1, 2, 2, 1}, counting(4)), w = Tensor::from({2, 1, 1, 1}, Values{1, 10});
    const Tensor wide = Tensor::full({1, 2, 2, 4}, -1);
    conv(x, w, {.window = square(1), .into = wide.slice(1, 2)});
    EXPECT_EQ(wide.floats(), (Values{-1, 1, 10, -1, -1, 2, 20, -1, -1, 3, 30, -1, -1, 4, 40, -1}));
    expect_error([&] { conv(x, w, {.window = square(1), .into = wide.slice(1, 3)}); },
                 {"(1, 2, 2, 2)", "(1, 2, 2, 3)"});
  });
}

TEST(Conv, sees_changed_weights) {
  on_each_device([] {
    const Tensor x = Tensor::full({1, 1, 1, 16}, 1);
    Tensor w = Tensor::full({16, 1, 1, 16}, 1);
    EXPECT_EQ(plain(x, w, square(1)).floats()[0], 16);
    w.fill(2);
    EXPECT_EQ(plain(x, w, square(1)).floats()[0], 32);
    w.copy_from(Tensor::full({16, 1, 1, 16}, 3));
    EXPECT_EQ(plain(x, w, square(1)).floats()[15], 48);
  });
}

TEST(Conv, everything_in_two_dimensions) {
  check_op(conv_with(square(3, 1, 1)), {random({2, 5, 4, 3}), random({4, 3, 3, 3}), random({4})});
  check_op(conv_with({{3, 2}, {2, 3}, {0, 1}, {2, 0}}), {random({1, 6, 7, 2}), random({3, 3, 2, 2})});
  check_op(conv_with(square(1), 1, true), {random({2, 3, 3, 8}), random({8, 1, 1, 8}), random({8})});
  check_op(conv_with(square(3, 2, 1), 2), {random({1, 7, 7, 4}), random({6, 3, 3, 2}), random({6})});
  check_op(conv_with(square(1, 3)), {random({1, 5, 5, 2}), random({2, 1, 1, 2})});
  check_op(conv_with(square(1)), {random({1, 1, 1, 1}), random({1, 1, 1, 1})});
  check_op(conv_with(square(7, 2, 3)), {random({1, 9, 9, 3}), random({8, 7, 7, 3})});
}

TEST(Conv, everything_per_channel) {
  check_op(conv_with(square(3, 1, 1), 4), {random({2, 5, 4, 4}), random({4, 3, 3, 1}), random({4})});
  check_op(conv_with({{3, 3}, {2, 2}, {0, 0}, {1, 1}}, 3), {random({2, 6, 8, 3}), random({3, 3, 3, 1})});
  check_op(conv_with(square(3, 1, 1), 2, false, Algorithm::reference), {random({1, 4, 4, 2}), random({2, 3, 3, 1})});
}

TEST(Conv, everything_in_three_dimensions) {
  const Window cube = window({3, 3, 3}, {1, 1, 1}, {1, 1, 1});
  check_op(conv_with(cube, 1, true), {random({1, 3, 4, 3, 2}), random({4, 3, 3, 3, 2}), random({4})});
  check_op(conv_with({{2, 3, 3}, {2, 1, 2}, {0, 0, 1}, {1, 2, 1}}), {random({2, 3, 3, 4, 2}), random({3, 2, 3, 3, 2})});
  check_op(conv_with(window({1, 1, 1}, {1, 1, 1}, {0, 0, 0})), {random({2, 2, 2, 2, 16}), random({16, 1, 1, 1, 16})});
}

TEST(Conv, only_the_watched_get_gradients) {
  check_op(conv_with(square(3)), {fixed(random({1, 4, 4, 2})), random({2, 3, 3, 2}), fixed(random({2}))});
  check_op(conv_with(square(3)), {random({1, 4, 4, 2}), fixed(random({2, 3, 3, 2})), random({2})});
}

TEST(Conv, relu_equals_relu_after) {
  const Op after = [](auto& x) { return relu(conv_with(square(3, 1, 1))(x)); };
  check_same(conv_with(square(3, 1, 1), 1, true), after, {random({2, 4, 4, 3}), random({5, 3, 3, 3}), random({5})});
}

TEST(Conv, library_equals_reference) {
  struct Case {
    Shape x, w;
    Window window;
    i64 groups;
  };
  for (const Case& c : {Case{{1, 13, 13, 32}, {64, 5, 5, 16}, square(5, 1, 2), 2},
                        Case{{2, 28, 28, 3}, {64, 7, 7, 3}, square(7, 2, 3), 1},
                        Case{{2, 28, 28, 24}, {24, 3, 3, 1}, square(3, 2, 1), 24},
                        Case{{2, 14, 14, 112}, {24, 1, 1, 112}, square(1), 1},
                        Case{{1, 4, 14, 14, 24}, {40, 3, 3, 3, 24}, window({3, 3, 3}, {1, 1, 1}, {1, 1, 1}), 1}}) {
    SCOPED_TRACE(to_text(c.w));
    const std::vector<Input> inputs = moved({random(c.x), random(c.w), random({c.w[0]})}, DType::f32, Device::cpu());
    const Shape y = output_shape(c.x, c.window, c.w[0]);
    const Tensor dy = random(y).value.to(DType::f32);
    const auto want = run(conv_with(c.window, c.groups, true, Algorithm::reference), inputs, dy).all();
    const auto got = run(conv_with(c.window, c.groups, true), inputs, dy).all();
    // Sums close to zero may fall on either side of the relu; two such places change little of the gradient.
    for (std::size_t i = 0; i < want.size(); ++i)
      expect_close(i ? "gradient " + std::to_string(i) : "value", numbers(got[i]), numbers(want[i]), i ? 2e-3 : 2e-5);
  }
}

TEST(Conv, refuses_nonsense) {
  const Tensor x = Tensor::zeros({1, 4, 4, 3}), w = Tensor::zeros({8, 3, 3, 4});
  expect_error([&] { plain(x, w, square(3)); }, {"(1, 4, 4, 3)", "(8, 3, 3, 4)"});
  expect_error([&] { plain(x, Tensor::zeros({8, 3, 3, 3}), square(2)); }, {"(8, 3, 3, 3)", "(2, 2)"});
  expect_error([&] { plain(x, Tensor::zeros({8, 5, 5, 3}), square(5)); }, {"(5, 5)", "(1, 4, 4, 3)"});
  expect_error([&] { plain(x, Tensor::zeros({8, 3, 3, 3}, DType::f64), square(3)); }, {"f32", "f64"});
  expect_error(
      [&] {
        conv(x, Tensor::zeros({8, 3, 3, 3}), {.window = square(3), .bias = Tensor::zeros({7})});
      },
      {"(7)", "(8, 3, 3, 3)"});
}

}  // namespace dactyl
