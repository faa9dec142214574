#include "kernels/fast/lrn.h"
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

TEST(Lrn, relu_by_hand) {
  on_each_device([] {
    for (const Algorithm a : {Algorithm::automatic, Algorithm::reference}) {
      const Tensor x = Tensor::from({1, 6}, std::vector<float>{-3, 2, -1, 4, 0, -5});
      expect_close("relu",
                   numbers(lrn(x, {.size = 3, .alpha = 0.6, .beta = 0.5, .k = 2, .relu = true, .algorithm = a})),
                   {0, 2 / std::sqrt(2.8), 0, 4 / std::sqrt(5.2), 0, 0}, 1e-6);
    }
  });
}

TEST(Lrn, everything) {
  check_op([](auto& x) { return lrn(x[0], {.alpha = 2}); }, {random({2, 3, 8})}, {.slack = 2});
  check_op([](auto& x) { return lrn(x[0], {.size = 3, .alpha = 0.9, .beta = 0.6, .k = 2}); }, {random({4, 7})},
           {.slack = 2});
  check_op([](auto& x) { return lrn(x[0], {.size = 7, .alpha = 2}); }, {random({5, 3})}, {.slack = 2});  // wider than x
  check_op([](auto& x) { return lrn(x[0], {.alpha = 2}); }, {random({2, 3, 24})}, {.slack = 2});         // packs
  check_op([](auto& x) { return lrn(x[0], {.size = 1, .alpha = 2}); }, {random({5, 1})}, {.slack = 2});
}

TEST(Lrn, everything_with_relu) {
  const Op usual = [](auto& x) { return lrn(x[0], {.alpha = 2, .relu = true}); };
  for (const Shape& shape : {Shape{2, 3, 24}, Shape{4, 7}, Shape{1, 8}, Shape{5, 1}})
    check_op(usual, {random(shape)}, {.slack = 2});
  check_op([](auto& x) { return lrn(x[0], {.size = 3, .alpha = 0.9, .beta = 0.6, .k = 2, .relu = true}); },
           {random({4, 7})}, {.slack = 2});
}

// The same arithmetic on the same numbers; zeros of either sign and NaN as well.
TEST(Lrn, relu_gives_the_bits_of_relu_before) {
  on_each_device([] {
    for (const Shape& shape : {Shape{3, 5, 64}, Shape{2, 7, 13}, Shape{1, 1, 96}, Shape{40, 1}, Shape{6, 8}})
      for (const DType type : {DType::f64, DType::f32, DType::bf16, DType::f16})
        for (LrnOptions o : {LrnOptions{}, LrnOptions{.size = 3, .alpha = 2, .beta = 0.6}, LrnOptions{.alpha = 2},
                             LrnOptions{.alpha = 2, .algorithm = Algorithm::reference}}) {
          SCOPED_TRACE(to_text(shape) + " " + to_text(type) + " " + std::to_string(o.size));
          Input x = random(shape, -3, 4);
          x.value.data<double>()[0] = -0.0;
          if (x.value.count() > 20) x.value.data<double>()[20] = NAN;
          const Device device = Context::current().device();
          const std::vector<Input> inputs = moved(std::vector{x}, type, device);
          const Tensor dy = random(shape).value.to(type).to(device);
          const Outcome before = run([&](auto& in) { return lrn(relu(in[0]), o); }, inputs, dy);
          o.relu = true;
          const Outcome within = run([&](auto& in) { return lrn(in[0], o); }, inputs, dy);
          expect_same_bits("relu", within, before);
        }
  });
}

// By packs against the plain bodies: the CPU runs the same code as a GPU, but for its logarithm.
TEST(Lrn, packs_equal_plain_bodies) {
  on_each_device([] {
    const Device device = Context::current().device();
    for (const Shape& shape : {Shape{3, 5, 64}, Shape{2, 7, 192}, Shape{11, 96}, Shape{6, 8}, Shape{1, 16}})
      for (const DType type : {DType::f32, DType::bf16, DType::f16})
        for (const LrnOptions& options :
             {LrnOptions{}, LrnOptions{.alpha = 2, .beta = 0.6, .k = 2}, LrnOptions{.alpha = 2, .relu = true}}) {
          SCOPED_TRACE(to_text(shape) + " " + to_text(type));
          LrnOptions plain = options;
          plain.algorithm = Algorithm::reference;
          const Tensor x = random(shape, -3, 4).value.to(type).to(device), dy = random(shape).value.to(type).to(device);
          const Outcome want = run([&](auto& in) { return lrn(in[0], plain); }, {{x}}, dy);
          const Tensor y = empty_like(x), dx = empty_like(x);
          ASSERT_TRUE(fast::lrn_by_packs(x, options));
          fast::lrn_forward(x, y, options);
          fast::lrn_backward(x, dy, dx, options);
          expect_close("value", numbers(y), numbers(want.y), tolerance(type));
          expect_close("gradient", numbers(dx), numbers(want.dx[0]), tolerance(type));
        }
  });
}

// A window of all channels and one of many more see the same.
TEST(Lrn, windows_end_with_the_channels) {
  on_each_device([] {
    const Tensor x = random({3, 5}).value.to(DType::f32).to(Context::current().device());
    for (const Algorithm algorithm : {Algorithm::automatic, Algorithm::reference}) {
      const i64 all = 11, more = 1099511627777;
      const Tensor want = lrn(x, {.size = all, .alpha = 1.0 * all, .algorithm = algorithm});
      const Tensor got = lrn(x, {.size = more, .alpha = 1.0 * more, .algorithm = algorithm});
      expect_close("lrn", numbers(got), numbers(want), 1e-6);
    }
  });
}

TEST(Lrn, refuses_even_sizes) {
  expect_error([] { lrn(Tensor::zeros({2, 3}), {.size = 4}); }, {"lrn", "4", "(2, 3)"});
  expect_error([] { lrn(Tensor::zeros({2, 3}), {.size = 0, .relu = true}); }, {"lrn", "0", "(2, 3)"});
}

}  // namespace dactyl
