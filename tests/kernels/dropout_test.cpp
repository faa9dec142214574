#include "kernels/ops.h"
#include "tests/check_op.h"

namespace dactyl {
namespace {
std::vector<float> mask(Random& random, double drop = 0.25, i64 n = 1000) {
  return dropout(Tensor::full({n}, 3), drop, random).floats();
}
}  // namespace

TEST(Dropout, keeps_the_right_share_and_the_mean) {
  on_each_device([] {
    Random random(test_seed(), Context::current().device());
    const std::vector<float> y = mask(random, 0.4, 100000);
    const auto dropped = std::count(y.begin(), y.end(), 0.0f);
    EXPECT_NEAR(static_cast<double>(dropped) / 100000, 0.4, 0.008);  // five standard deviations
    EXPECT_EQ(std::count(y.begin(), y.end(), 5.0f) + dropped, 100000);
  });
}

TEST(Dropout, draws_by_seed_call_and_step) {
  on_each_device([] {
    const Device device = Context::current().device();
    Random a(7, device), b(7, device), other(8, device);
    const std::vector<float> first = mask(a), second = mask(a);
    EXPECT_NE(first, second);
    EXPECT_EQ(first, mask(b));
    EXPECT_NE(first, mask(other));
    a.call = 0;
    increment(a.step);
    const std::vector<float> next_step = mask(a);
    EXPECT_NE(first, next_step);
    EXPECT_NE(second, next_step);
  });
}

TEST(Dropout, is_the_same_on_both_devices) {
  if (gpu_count() == 0) GTEST_SKIP() << "no GPU here";
  Random cpu(7, Device::cpu());
  const std::vector<float> want = mask(cpu);
  const Use use(Device::cuda());
  Random gpu(7, Device::cuda());
  EXPECT_EQ(mask(gpu), want);
}

TEST(Dropout, nothing_dropped_is_x_itself) {
  Random random(7, Device::cpu());
  const Tensor x = Tensor::full({5}, 3);
  EXPECT_EQ(dropout(x, 0, random).raw(), x.raw());
}

TEST(Dropout, everything) {
  for (const Shape& shape : {Shape{2, 3, 4}, Shape{7, 5}, Shape{1, 1}})
    check_op(
        [](auto& x) {
          Random random(7, x[0].device());
          return dropout(dropout(x[0], 0.3, random), 0.5, random);
        },
        {random(shape)});
}

TEST(Dropout, a_replayed_graph_draws_anew) {
  if (gpu_count() == 0) GTEST_SKIP() << "no GPU here";
  const Use use(Device::cuda());
  Random random(7, Device::cuda());
  const Tensor x = Tensor::full({1000}, 3), y = Tensor::zeros({1000});
  Graph step([&] {
    random.call = 0;
    Tensor(y).copy_from(dropout(x, 0.5, random));
    increment(random.step);
  });
  std::vector<std::vector<float>> drawn;
  for (int i = 0; i < 4; ++i) {
    step.run();
    drawn.push_back(y.floats());
  }
  EXPECT_TRUE(step.captured()) << step.why_eager();
  for (std::size_t i = 1; i < drawn.size(); ++i) EXPECT_NE(drawn[i], drawn[i - 1]) << i;
}

TEST(Dropout, refuses_nonsense) {
  Random random(7, Device::cpu()), none;
  expect_error([&] { dropout(Tensor::zeros({2}), 1, random); }, {"dropout", "1"});
  expect_error([&] { dropout(Tensor::zeros({2}), 0.5, none); }, {"dropout", "cpu"});
}

}  // namespace dactyl
