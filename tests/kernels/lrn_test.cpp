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

// By packs against the plain bodies: the CPU runs the same code as a GPU, but for its roots and logarithms.
void expect_plain(const Tensor& x, const Tensor& dy, const LrnOptions& options) {
  SCOPED_TRACE(to_text(x.shape()) + " " + to_text(x.dtype()) + " beta " + std::to_string(options.beta));
  LrnOptions plain = options;
  plain.algorithm = Algorithm::reference;
  const Outcome want = run([&](auto& in) { return lrn(in[0], plain); }, {{x}}, dy);
  const Tensor y = empty_like(x);
  ASSERT_TRUE(fast::lrn_by_packs(x, options));
  fast::lrn_forward(x, y, options);
  expect_close("value", numbers(y), numbers(want.y), tolerance(x.dtype()));
  for (const bool pairs : {false, true}) {
    if (pairs && !fast::lrn_fits_pairs(x)) continue;
    const Tensor dx = Tensor::full(x.shape(), NAN, x.dtype());
    fast::lrn_backward(x, dy, dx, options, pairs);
    expect_close(pairs ? "gradient by pairs" : "gradient", numbers(dx), numbers(want.dx[0]), tolerance(x.dtype()));
  }
}

TEST(Lrn, packs_equal_plain_bodies) {
  on_each_device([] {
    const Device device = Context::current().device();
    for (const Shape& shape : {Shape{3, 5, 64}, Shape{2, 7, 192}, Shape{11, 96}, Shape{6, 8}, Shape{1, 16}})
      for (const DType type : {DType::f32, DType::bf16, DType::f16})
        for (const LrnOptions& options :
             {LrnOptions{}, LrnOptions{.alpha = 2, .beta = 0.6, .k = 2}, LrnOptions{.alpha = 2, .relu = true}})
          expect_plain(random(shape, -3, 4).value.to(type).to(device), random(shape).value.to(type).to(device),
                       options);
  });
}

Tensor noise(const Shape& shape, DType type, double low, double high, std::uint32_t stream) {
  std::vector<float> values(static_cast<std::size_t>(shape.count()));
  Sequence numbers(test_seed(), stream);
  for (float& v : values) v = static_cast<float>(low + (high - low) * numbers.uniform());
  return Tensor::from(shape, values, type);
}

// Odd and even numbers of packs in a row, powers that are not roots, scales that may be 0 or are below k.
TEST(Lrn, packs_know_every_power) {
  on_each_device([] {
    for (const Shape& shape : {Shape{7, 64}, Shape{6, 8}, Shape{4, 16}, Shape{5, 24}, Shape{3, 40}})
      for (const DType type : {DType::f32, DType::bf16, DType::f16})
        for (const LrnOptions& options :
             {LrnOptions{.alpha = 2, .k = 0}, LrnOptions{.alpha = 2, .beta = 1.5, .relu = true},
              LrnOptions{.alpha = -0.01}, LrnOptions{.alpha = 2, .beta = 0}, LrnOptions{.alpha = 2}})
          expect_plain(noise(shape, type, -3, 4, 1), noise(shape, type, -1, 1, 2), options);
  });
}

TEST(Lrn, pairs_need_an_even_number_of_packs) {
  const Tensor x = Tensor::zeros({3, 24}, DType::bf16);
  EXPECT_FALSE(fast::lrn_fits_pairs(x));
  EXPECT_TRUE(fast::lrn_fits_pairs(Tensor::zeros({3, 24}, DType::f32)));
  EXPECT_FALSE(fast::lrn_wants_pairs(Tensor::zeros({3, 32}, DType::bf16)));
  expect_error([&] { fast::lrn_backward(x, x, x, {}, true); }, {"lrn", "(3, 24)"});
}

// One gradient or one value alone at every channel: what a thread takes from beside its own numbers, at both ends.
TEST(Lrn, packs_see_every_neighbour) {
  on_each_device([] {
    const Device device = Context::current().device();
    for (const i64 channels : {8, 16, 24, 32})
      for (const double beta : {0.75, 0.5}) {
        const Tensor ones = Tensor::full({channels, channels}, 1, DType::f32);
        std::vector<float> diagonal(static_cast<std::size_t>(channels * channels));
        for (std::size_t i = 0; i < diagonal.size(); i += static_cast<std::size_t>(channels) + 1) diagonal[i] = 2;
        const Tensor one = Tensor::from({channels, channels}, diagonal).to(device);
        for (const DType type : {DType::f32, DType::bf16, DType::f16}) {
          expect_plain(ones.to(type), one.to(type), {.alpha = 2, .beta = beta});
          expect_plain(one.to(type), ones.to(type), {.alpha = 2, .beta = beta});
        }
      }
  });
}

void expect_spoilt_alike(const Tensor& x, const Tensor& dy, const LrnOptions& options) {
  LrnOptions plain = options;
  plain.algorithm = Algorithm::reference;
  const std::vector<double> want = numbers(run([&](auto& in) { return lrn(in[0], plain); }, {{x}}, dy).dx[0]);
  for (const bool pairs : {false, true}) {
    if (pairs && !fast::lrn_fits_pairs(x)) continue;
    const Tensor dx = empty_like(x);
    fast::lrn_backward(x, dy, dx, options, pairs);
    const std::vector<double> got = numbers(dx);
    for (std::size_t i = 0; i < got.size(); ++i)
      EXPECT_EQ(std::isnan(got[i]), std::isnan(want[i])) << "channel " << i << " of " << to_text(x.shape());
  }
}

// Numbers that are not finite, and those whose squares are not, spoil what the plain bodies say they spoil; without k,
// zeros and numbers whose squares are next to nothing do.
TEST(Lrn, packs_spoil_what_plain_bodies_spoil) {
  on_each_device([] {
    const Device device = Context::current().device();
    const float infinity = std::numeric_limits<float>::infinity();
    for (const i64 channels : {8, 32})
      for (i64 at = 0; at < channels; ++at)
        for (const float odd : {NAN, infinity, -infinity, 1e25f, 0.0f, 1e-22f})
          for (const LrnOptions& options : {LrnOptions{}, LrnOptions{.alpha = 2, .relu = true},
                                            LrnOptions{.alpha = 2, .k = 0}, LrnOptions{.alpha = 2, .beta = 0.6}}) {
            if (options.k > 0 && odd == 1e-22f) continue;
            std::vector<float> values(static_cast<std::size_t>(channels), odd == 0 ? 0.0f : 0.5f);
            values[static_cast<std::size_t>(at)] = odd;
            const Tensor x = Tensor::from({1, channels}, values).to(device);
            expect_spoilt_alike(x, Tensor::full({1, channels}, 1, DType::f32), options);
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
