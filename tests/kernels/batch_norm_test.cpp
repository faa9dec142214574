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

// The same numbers on the 16-byte grid with other numbers between the rows.
Tensor wider(const Tensor& t) {
  const i64 channels = t.shape().channels();
  Tensor inner = Tensor::full(t.shape().with(-1, channels + 16), 5, t.dtype()).slice(8, channels);
  inner.copy_from(t);
  return inner;
}

const NormOptions batch{.epsilon = 1e-3}, frozen{.statistics = Statistics::frozen, .epsilon = 1e-3};

struct Case {
  Shape shape;
  DType type;
  NormOptions options;
  bool relu, slices;
};

// The fast passes against the plain ones on the current GPU, and the bits of a second run and of a replayed graph.
void expect_fast_equals_reference(const Case& of) {
  const auto& [shape, type, plain, relu, slices] = of;
  if (relu && shape.count() > 20000) return;  // some number would lie within a rounding error of the kink
  if (!asks_the_cpu() && type != DType::bf16 && shape.count() > 20000) return;  // minutes under a sanitizer
  if (!asks_the_cpu() && shape.count() > 200'000) return;
  SCOPED_TRACE(to_text(shape) + " " + to_text(type) + (relu ? " relu" : "") + (slices ? " slices" : ""));
  std::vector<Input> inputs = moved(arguments(shape), type, Device::cuda());
  Tensor dy = random(shape).value.to(type).to(Device::cuda());
  if (slices) {
    inputs[0].value = wider(inputs[0].value);
    dy = wider(dy);
  }
  NormOptions options = plain;
  options.relu = relu;
  const auto outcome = [&](Algorithm algorithm) {
    std::vector<Input> own = inputs;
    own[3].value = inputs[3].value.clone();
    own[4].value = inputs[4].value.clone();
    NormOptions chosen = options;
    chosen.algorithm = algorithm;
    if (slices) chosen.into = wider(dy);
    std::vector<Tensor> all = run([&](auto& x) { return norm(x, chosen); }, own, dy).all();
    all.push_back(own[3].value);
    all.push_back(own[4].value);
    return all;
  };
  const std::vector<Tensor> got = outcome(Algorithm::automatic), want = outcome(Algorithm::reference);
  for (std::size_t i = 0; i < got.size(); ++i)
    expect_close(std::to_string(i), numbers(got[i]), numbers(want[i]), i == 0 || i == 1 ? 3 * tolerance(type) : 3e-5);
  const std::vector<Tensor> again = outcome(Algorithm::automatic);
  for (std::size_t i = 0; i < got.size(); ++i) EXPECT_TRUE(same_bits(got[i], again[i])) << i;
  if (type == DType::bf16)
    check_capture([&](auto& x) { return norm(x, options); }, inputs, dy, {got[0], {got[1], got[2], got[3]}});
}

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

// Whole packs of channels, which a GPU takes 16 bytes at a time. The slices that check_op makes are off that grid for
// narrow types, take the plain passes and so add in another order: only f32 can be asked for the same bits here.
TEST(BatchNorm, packs) {
  check_op([](auto& x) { return norm(x, batch); }, arguments({3, 5, 16}), {.slack = 3, .types = {DType::f32}});
  check_op([](auto& x) { return norm(x, frozen); }, arguments({30, 24}), {.slack = 3, .types = {DType::f32}});
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

// The same of whole packs of channels and many rows, whose first is far from all others.
TEST(BatchNorm, keeps_small_differences_beside_an_outlier) {
  on_each_device([] {
    constexpr i64 rows = 5000, channels = 72;
    for (const float first : {10000.0f, 0.0f}) {
      std::vector<float> values(static_cast<std::size_t>(rows * channels));
      for (std::size_t i = 0; i < values.size(); ++i) values[i] = 10000 + static_cast<float>(i / channels % 2);
      std::fill_n(values.begin(), channels, first);
      const Tensor zero = Tensor::zeros({channels}), mean = Tensor::zeros({channels}), var = Tensor::zeros({channels});
      batch_norm(Tensor::from({rows, channels}, values), {}, zero, mean, var, {.momentum = 1});
      const double sum = 1.0 * rows / 2 + (first - 10000.0), squares = rows / 2 + (first - 10000.0) * (first - 10000.0);
      const double want = (squares - sum * sum / rows) / (rows - 1);
      for (const i64 c : {0, 33, 71}) {
        EXPECT_NEAR(mean.floats()[static_cast<std::size_t>(c)], 10000 + sum / rows, 2e-3) << c;
        EXPECT_NEAR(var.floats()[static_cast<std::size_t>(c)], want, 1e-3 * want) << c;
      }
    }
  });
}

// A GPU's passes by packs against its plain ones: layouts that take them, layouts that cannot, and both beside each
// other.
TEST(BatchNorm, fast_path_equals_reference_on_a_gpu) {
  if (gpu_count() == 0) GTEST_SKIP() << "needs a GPU";
  const Use use(Device::cuda());
  const Shape shapes[] = {{2, 3, 5, 7, 64}, {4, 28, 28, 192}, {3, 7, 7, 832}, {2, 2},
                          {300, 16},        {7, 9, 24},       {5, 11, 30}};
  for (const Shape& shape : shapes)
    for (const DType type : {DType::f32, DType::bf16, DType::f16})
      for (const NormOptions& plain : {batch, frozen})
        for (const bool relu : {false, true})
          for (const bool slices : {false, true}) expect_fast_equals_reference({shape, type, plain, relu, slices});
}

// In one launch where clusters of blocks can keep x and dy: blocks without rows, channels that fill no group of packs,
// and one row more than is kept (of 8 channels for its time, of 48 for its bytes, backward and forward).
TEST(BatchNorm, one_launch_equals_reference_on_a_gpu) {
  if (gpu_count() == 0) GTEST_SKIP() << "needs a GPU";
  const Use use(Device::cuda());
  for (const i64 channels : {8, 16, 24, 72, 480})
    for (const DType type : {DType::f32, DType::bf16, DType::f16}) {
      for (const i64 rows : {3, 7, 9})
        for (const bool both : {false, true}) expect_fast_equals_reference({{rows, channels}, type, batch, both, both});
      for (const i64 rows : {147, 1176})
        if (asks_the_cpu() || type == DType::bf16)
          expect_fast_equals_reference({{rows, channels}, type, batch, false, rows == 147});
    }
  for (const Shape& shape : {Shape{7840, 192}, Shape{1176, 1024}})
    expect_fast_equals_reference({shape, DType::bf16, batch, false, false});
  const Shape limits[] = {{24'576, 8}, {24'577, 8}, {28'672, 48}, {28'673, 48}, {56'320, 48}, {56'321, 48}};
  for (const Shape& shape : limits) expect_fast_equals_reference({shape, DType::f32, batch, false, false});
}

// Several at the same time, as the branches of a captured block are.
TEST(BatchNorm, one_launch_beside_others_on_a_gpu) {
  if (gpu_count() == 0) GTEST_SKIP() << "needs a GPU";
  const Use use(Device::cuda());
  std::vector<std::vector<Input>> inputs;
  std::vector<Outcome> alone, beside(4);
  for (const i64 channels : {64, 96, 208, 480})
    inputs.push_back(moved(arguments({1176, channels}), DType::bf16, Device::cuda()));
  const auto op = [](auto& x) { return norm(x, batch); };
  for (const auto& own : inputs) alone.push_back(run(op, own, own[0].value));
  {
    Graph graph([&] {
      Fork fork;
      for (std::size_t i = 0; i < 4; ++i) fork([&, i] { beside[i] = run(op, inputs[i], inputs[i][0].value); });
    });
    for (int i = 0; i < 4; ++i) graph.run();
    EXPECT_TRUE(graph.captured()) << graph.why_eager();
    for (std::size_t i = 0; i < 4; ++i) expect_same_bits("branch " + std::to_string(i), beside[i], alone[i]);
    beside.clear();
  }
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
