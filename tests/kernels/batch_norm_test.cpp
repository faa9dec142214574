#include "kernels/ops.h"
#include "tests/check_op.h"

namespace dactyl {
namespace {

// x[0] … x[4]: x, gamma, beta, mean, var.
Tensor norm(const std::vector<Tensor>& x, const NormOptions& options) {
  return batch_norm(x[0], x[1], x[2], x[3], x[4], options);
}

std::vector<Input> arguments(Shape shape) {
  const Shape c{shape.channels()};
  return {random(shape, -2, 3), wide(random(c, 0.5, 2)), wide(random(c)), fixed(wide(random(c))),
          fixed(wide(random(c, 0.5, 2)))};
}

const NormOptions batch{.epsilon = 1e-3}, frozen{.statistics = Statistics::frozen, .epsilon = 1e-3};

}  // namespace

// PyTorch 2.11, BatchNorm1d in f64.
TEST(BatchNorm, value) {
  on_each_device([] {
    for (const DType type : {DType::f32, DType::f64}) {
      const auto pair = [&](float a, float b) { return Tensor::from({2}, std::vector<float>{a, b}, type); };
      const Tensor x = Tensor::from({3, 2}, std::vector<float>{1, 2, 3, 2, 8, 5}, type);
      const Tensor gamma = pair(2, 1), beta = pair(0.5f, -1), mean = pair(1, 1), var = pair(4, 4);
      const Tensor y = batch_norm(x, gamma, beta, mean, var, {.epsilon = 1e-3, .momentum = 0.25});
      expect_close("of the batch", numbers(y),
                   {-1.537981089, -1.706930071, -0.179327030, -1.706930071, 3.217308119, 0.413860142}, 1e-6);
      EXPECT_EQ(numbers(mean), (std::vector<double>{1.75, 1.5}));
      EXPECT_EQ(numbers(var), (std::vector<double>{6.25, 3.75}));
      expect_close("frozen, with the statistics this left", numbers(batch_norm(x, gamma, beta, mean, var, frozen)),
                   {-0.099952006, -0.741835530, 1.499920010, -0.741835530, 5.499600048, 0.807151291}, 1e-6);
    }
  });
}

TEST(BatchNorm, everything) {
  check_op([](auto& x) { return norm(x, batch); }, arguments({2, 3, 4}), {.slack = 3});
  check_op([](auto& x) { return norm(x, frozen); }, arguments({2, 3, 4}), {.slack = 3});
  check_op([](auto& x) { return norm(x, batch); }, arguments({2, 3, 5, 2, 3}), {.slack = 3});
  check_op([](auto& x) { return norm(x, batch); }, arguments({300, 1}), {.slack = 3});  // several slices of rows
}

TEST(BatchNorm, relu_in_the_same_pass) {
  for (const NormOptions& plain : {batch, frozen}) {
    NormOptions fused = plain;
    fused.relu = true;
    check_same([&](auto& x) { return norm(x, fused); }, [&](auto& x) { return relu(norm(x, plain)); },
               arguments({4, 5, 3}));
    check_op([&](auto& x) { return norm(x, fused); }, arguments({2, 3, 4}), {.slack = 3, .types = {DType::f32}});
  }
}

TEST(BatchNorm, without_gamma) {
  const auto bare = [](auto& x) { return batch_norm(x[0], {}, x[1], x[2], x[3], batch); };
  const auto ones = [](auto& x) {
    return batch_norm(x[0], Tensor::full({3}, 1, x[1].dtype()), x[1], x[2], x[3], batch);
  };
  const std::vector<Input> inputs{random({6, 3}), wide(random({3})), fixed(wide(random({3}))),
                                  fixed(wide(random({3}, 1, 2)))};
  check_op(bare, inputs, {.slack = 3});
  check_same(bare, ones, inputs);
}

TEST(BatchNorm, writes_into_a_slice) {
  on_each_device([] {
    const auto filled = [](float low) { return Tensor::from({3}, std::vector<float>{low, low + 1, low + 2}); };
    const Tensor x = Tensor::from({2, 3}, std::vector<float>{1, 2, 3, 5, 7, 9}), outer = Tensor::full({2, 5}, 42);
    NormOptions into = frozen;
    into.into = outer.slice(1, 3);
    const Tensor y = batch_norm(x, filled(1), filled(0), filled(0), filled(1), into);
    EXPECT_TRUE(y.same_storage(outer));
    EXPECT_TRUE(same_bits(y, batch_norm(x, filled(1), filled(0), filled(0), filled(1), frozen)));
    EXPECT_EQ(outer.slice(0, 1).floats(), (std::vector<float>{42, 42}));
    EXPECT_EQ(outer.slice(4, 1).floats(), (std::vector<float>{42, 42}));
  });
}

TEST(BatchNorm, keeps_small_differences_of_large_numbers) {
  on_each_device([] {
    std::vector<float> values(4096);
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = 10000 + static_cast<float>(i % 2);
    const Tensor one = Tensor::full({1}, 1), zero = Tensor::zeros({1}), mean = Tensor::zeros({1}),
                 var = Tensor::zeros({1});
    const Tensor y = batch_norm(Tensor::from({4096, 1}, values), one, zero, mean, var, {.momentum = 1});
    EXPECT_EQ(mean.item(), 10000.5);
    EXPECT_NEAR(var.item(), 0.25, 1e-4);
    EXPECT_NEAR(y.floats()[1], 1, 1e-4);
  });
}

TEST(BatchNorm, refuses_nonsense) {
  const Tensor three = Tensor::full({3}, 1);
  expect_error(
      [&] {
        batch_norm(Tensor::zeros({2, 4}), three, three, three, three, batch);
      },
      {"batch_norm", "(2, 4)", "(3)"});
  expect_error(
      [&] {
        batch_norm(Tensor::zeros({1, 3}), three, three, three, three, batch);
      },
      {"(1, 3)", "larger batch"});
  NormOptions into = frozen;
  into.into = Tensor::zeros({5, 3});
  expect_error([&] { batch_norm(Tensor::zeros({2, 3}), three, three, three, three, into); }, {"(2, 3)", "(5, 3)"});
}

}  // namespace dactyl
