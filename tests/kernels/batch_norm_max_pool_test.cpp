// Normalisation and max pool as one operation, against the two that it replaces.
#include "tests/kernels/norm_pool_cases.h"

namespace dactyl {
namespace {

using namespace norm_pool;

// x[0] … x[4]: x, gamma, beta, mean, var.
Op both(const NormOptions& norm, const PoolOptions& pool) {
  return [=](const std::vector<Tensor>& x) { return batch_norm_max_pool(x[0], x[1], x[2], x[3], x[4], norm, pool); };
}

std::vector<Input> arguments(const Shape& shape) {
  const Shape c{shape.channels()};
  std::vector<float> gamma(static_cast<std::size_t>(c[0]));
  for (std::size_t i = 0; i < gamma.size(); ++i)
    gamma[i] = (i % 3 == 1 ? -0.5f : 0.75f) + 0.01f * static_cast<float>(i);
  return {random(shape, -2, 3), wide(exact(c, gamma)), wide(random(c)), fixed(wide(random(c))),
          fixed(wide(random(c, 0.5, 2)))};
}

}  // namespace

// Gradients, types, devices, slices, memory, capture. With relu only few numbers: else one may lie at its kink.
TEST(BatchNormMaxPool, everything) {
  const NormOptions batch{.epsilon = 1e-3}, still{.statistics = Statistics::frozen, .epsilon = 1e-3};
  for (const i64 channels : {5, 8, 24})
    for (const NormOptions& norm : {batch, still}) {
      const PoolOptions same{.window = {{3, 3}, {2, 2}, {0, 0}, {1, 1}}};
      check_op(both(norm, same), arguments({2, 6, 6, channels}), {.slack = 3, .types = {DType::f32}});
    }
  check_op(both({.epsilon = 1e-3, .relu = true}, {.window = square(2, 2)}), arguments({2, 4, 3, 4}),
           {.slack = 3, .types = {DType::f32}});
  check_op(both(batch, {.window = square(3, 2), .rounding = Rounding::ceil}), arguments({2, 7, 5, 16}),
           {.slack = 3, .types = {DType::f32}});
  check_op(both(batch, {.window = window({3, 3, 3}, {1, 1, 1}, {1, 1, 1})}), arguments({2, 3, 3, 4, 8}),
           {.slack = 3, .types = {DType::f32}});
  check_op([&](auto& x) { return batch_norm_max_pool(x[0], {}, x[1], x[2], x[3], batch, {.window = square(2, 2)}); },
           {random({3, 4, 5, 8}), wide(random({8})), fixed(wide(random({8}))), fixed(wide(random({8}, 1, 2)))},
           {.slack = 3, .types = {DType::f32}});
}

TEST(BatchNormMaxPool, is_the_two_operations) {
  const NormOptions norm{.epsilon = 1e-3, .relu = true};
  const PoolOptions pool{.window = square(3, 2, 1)};
  check_same(
      both(norm, pool), [&](auto& x) { return max_pool(batch_norm(x[0], x[1], x[2], x[3], x[4], norm), pool); },
      arguments({2, 7, 6, 8}));
}

// Both take the same sums of so many rows; of fewer batch_norm alone takes them in one launch, in another order.
bool sums_alike(const Case& c) { return c.x.count() > 1'000'000; }

// A GPU's own way against the two operations' own ways: the value and the running statistics bit by bit where they are
// the same sums, the gradients up to the rounding of the tensor that lies between those.
TEST(BatchNormMaxPool, fused_equals_apart_on_a_gpu) {
  if (gpu_count() == 0) GTEST_SKIP() << "needs a GPU";
  const Use use(Device::cuda());
  std::vector<Case> all = cases();
  all.push_back({{4, 5, 56, 57, 64}, {{1, 3, 3}, {1, 2, 2}, {0, 0, 0}, {0, 1, 1}}});
  for (const Case& c : all)
    for (const DType type : types)
      for (const bool relu : {false, true}) {
        if (!asks_the_cpu() && type != DType::bf16 && c.x.count() > 100000) continue;  // minutes under a sanitizer
        SCOPED_TRACE(to_text(c.x) + " " + to_text(c.window.kernel) + " " + to_text(type) + (relu ? " relu" : ""));
        const NormOptions norm{.epsilon = 1e-3, .relu = relu};
        const auto outcome = [&](bool fused, const Tensor& dy) {
          const Exact k(c.x.channels());
          const std::vector<Input> in{{few(c.x, 12, type)}, {k.gamma}, {k.beta}, fixed({k.mean}), fixed({k.var})};
          const Op apart_too = [&](auto& x) {
            return max_pool(batch_norm(x[0], x[1], x[2], x[3], x[4], norm), pool_of(c));
          };
          std::vector<Tensor> list = run(fused ? both(norm, pool_of(c)) : apart_too, in, dy).all();
          list.insert(list.begin() + 1, {k.mean, k.var});
          return list;
        };
        const Tensor dy = few(outcome(true, {}).front().shape(), 13, type, 0.25f);
        const std::vector<Tensor> got = outcome(true, dy), want = outcome(false, dy), again = outcome(true, dy);
        for (std::size_t i = 0; i < got.size(); ++i)
          if (i < 3 && sums_alike(c))
            EXPECT_TRUE(same_bits(got[i], want[i])) << i;
          else
            expect_close(std::to_string(i), numbers(got[i]), numbers(want[i]),
                         2 * tolerance(i == 0 || i == 3 ? type : DType::f32));
        for (std::size_t i = 0; i < got.size(); ++i) EXPECT_TRUE(same_bits(got[i], again[i])) << i;
      }
}

TEST(BatchNormMaxPool, writes_into_a_slice_alone) {
  on_each_device([] {
    const Exact k(16);
    const Tensor x = few({2, 6, 5, 16}, 14, DType::bf16), outer = Tensor::full({2, 3, 2, 32}, 7, DType::bf16);
    PoolOptions pool{.window = square(2, 2), .into = outer.slice(8, 16)};
    const Tensor y = batch_norm_max_pool(x, k.gamma, k.beta, k.mean, k.var, frozen(true), pool);
    EXPECT_TRUE(y.same_storage(outer));
    pool.into = {};
    EXPECT_TRUE(same_bits(y, batch_norm_max_pool(x, k.gamma, k.beta, k.mean, k.var, frozen(true), pool)));
    for (const i64 beside : {0, 24})
      EXPECT_TRUE(same_bits(outer.slice(beside, 8), Tensor::full({2, 3, 2, 8}, 7, DType::bf16))) << beside;
  });
}

TEST(BatchNormMaxPool, refuses_nonsense) {
  on_each_device([] {
    const Tensor x = Tensor::zeros({2, 4, 4, 8}), eight = Tensor::full({8}, 1), three = Tensor::full({3}, 1);
    const auto tried = [&](const Tensor& gamma, NormOptions norm, const Window& window) {
      batch_norm_max_pool(x, gamma, eight, eight, eight, norm, {.window = window});
    };
    expect_error([&] { tried(three, {}, square(2)); }, {"batch_norm", "(3)"});
    expect_error([&] { tried(eight, {}, square(2, 1, 2)); }, {"max_pool", "(2, 2)", "(2, 4, 4, 8)"});
    expect_error([&] { tried(eight, {.into = x}, square(2)); }, {"batch_norm_max_pool", "pool"});
  });
}

}  // namespace dactyl
