// Tensors: views, types, copies; the pool behind them; errors that say what is wrong.
#include "engine/tensor.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>
#include <thread>

#include "engine/each.h"
#include "engine/engine.h"
#include "engine/reduce.h"

namespace dactyl {
namespace {

std::string error_of(const std::function<void()>& f) {
  try {
    f();
  } catch (const Error& e) {
    return e.what();
  }
  return "no error";
}

TEST(check, fills_values_in_and_names_the_line) {
  const std::string text = error_of([] { check(false, "conv: x {} has {} channels", Shape{1, 4, 4, 3}, 3); });
  EXPECT_EQ(text.find("conv: x (1, 4, 4, 3) has 3 channels  [tensor_test.cpp:"), 0u) << text;
  EXPECT_EQ(error_of([] { check(Exit::usage, false, "no such model '{}'", "x"); }), "no such model 'x'");
}

TEST(shape, counts_from_both_ends) {
  const Shape s{2, 5, 6, 3};
  EXPECT_EQ(s[-1], 3);
  EXPECT_EQ(s.spatial(), 2);
  EXPECT_EQ(s.rows(), 60);
  EXPECT_EQ(s.with(-1, 7), (Shape{2, 5, 6, 7}));
  EXPECT_THROW((Shape{1, 2, 3, 4, 5, 6, 7}), Error);
  EXPECT_THROW((Shape{-1}), Error);
}

TEST(dtype, narrow_types_round_to_nearest_even) {
  EXPECT_EQ(float(bf16(1.00390625f)), 1.0f);       // halfway between 1 and 1 + 2^-7: to even
  EXPECT_EQ(float(bf16(1.01171875f)), 1.015625f);  // halfway, to even upwards
  EXPECT_TRUE(std::isnan(float(bf16(NAN))));
  EXPECT_EQ(float(f16(65504.0f)), 65504.0f);
  EXPECT_EQ(float(f16(1.0f + 1.0f / 2048)), 1.0f);
}

TEST(tensor, slices_view_the_wide_tensor) {
  Tensor wide = Tensor::zeros({2, 2, 5});
  Tensor middle = wide.slice(1, 3);
  EXPECT_FALSE(middle.is_dense());
  EXPECT_EQ(middle.pitch(), 5);
  middle.fill(7);
  const std::vector<float> all = wide.floats();
  for (std::size_t i = 0; i < all.size(); ++i) EXPECT_EQ(all[i], i % 5 >= 1 && i % 5 < 4 ? 7 : 0);
  EXPECT_EQ(middle.dense().floats(), std::vector<float>(12, 7));
  middle.copy_from(Tensor::full({2, 2, 3}, 2));
  EXPECT_EQ(middle.dense().floats(), std::vector<float>(12, 2));
  EXPECT_EQ(wide.floats()[0], 0);
  EXPECT_THROW(middle.reshaped({12}), Error);
  EXPECT_THROW(wide.slice(3, 3), Error);
}

TEST(tensor, converts_types) {
  const Tensor x = Tensor::from({3}, std::vector<float>{1, -2.5, 3e5});
  EXPECT_EQ(x.to(DType::bf16).to(DType::f32).floats()[1], -2.5f);
  EXPECT_EQ(x.to(DType::f64).data<double>()[2], 3e5);
}

TEST(tensor, copies_refuse_other_shapes_and_name_both) {
  Tensor x({2, 3});
  const std::string text = error_of([&] { x.copy_from(Tensor({3, 2})); });
  EXPECT_NE(text.find("(3, 2)"), std::string::npos);
  EXPECT_NE(text.find("(2, 3)"), std::string::npos);
}

TEST(tensor, a_stamp_belongs_to_one_content) {
  Tensor x = Tensor::zeros({4});
  const auto before = x.stamp();
  EXPECT_EQ(Tensor(x).stamp(), before);
  x.fill(1);
  EXPECT_NE(x.stamp(), before);
}

TEST(pool, hands_a_freed_block_out_again) {
  Pool pool(Device::cpu());
  void* first = pool.take(1000);
  EXPECT_EQ(pool.in_use(), 1024);
  pool.give(first, 1000);
  EXPECT_EQ(pool.in_use(), 0);
  EXPECT_EQ(pool.take(900), first);
  EXPECT_EQ(pool.held(), i64{2} << 20) << "one large page";
  pool.give(first, 900);
}

TEST(pool, says_how_much_was_wanted) {
  const std::string text = error_of([] { Tensor huge({i64{1} << 45}); });
  EXPECT_NE(text.find("out of memory on cpu"), std::string::npos) << text;
}

template <class T>
void fill_squares(Device device, i64 n, T* y) {
  each(device, n, [=] HD(i64 i) { y[i] = T(i * i); });
}

TEST(each, visits_every_index) {
  Tensor y({10000}, DType::f64);
  fill_squares(y.device(), y.count(), y.data<double>());
  for (i64 i = 0; i < y.count(); ++i) ASSERT_EQ(y.data<double>()[i], double(i * i));
}

TEST(fold, channels_and_rows_sum) {
  constexpr i64 rows = 1000, channels = 37;
  std::vector<float> by_channel(channels), by_row(rows);
  float *c = by_channel.data(), *r = by_row.data();
  const auto load = [](i64 row, i64 channel) { return float(row % 7 + channel); };
  fold_channels<float>(Device::cpu(), rows, channels, load, [=](i64 i, float s) { c[i] = s; });
  fold_rows<float>(Device::cpu(), rows, channels, load, [=](i64 i, float s) { r[i] = s; });
  double expected = 0;
  for (i64 i = 0; i < rows; ++i) expected += double(i % 7);
  EXPECT_EQ(by_channel[5], float(expected + 5 * rows));
  EXPECT_EQ(by_row[8], float(1 * channels + channels * (channels - 1) / 2));
}

// Salmon et al. 2011, the known-answer file of Random123: philox4x32-10.
TEST(random, philox_gives_the_published_numbers) {
  const Philox::Block zero = Philox(0)(0, 0, 0, 0);
  EXPECT_EQ(zero.v[0], 0x6627e8d5u);
  EXPECT_EQ(zero.v[1], 0xe169c58du);
  EXPECT_EQ(zero.v[2], 0xbc57ac4cu);
  EXPECT_EQ(zero.v[3], 0x9b00dbd8u);
  const Philox::Block ones = Philox(~std::uint64_t{0})(~0u, ~0u, ~0u, ~0u);
  EXPECT_EQ(ones.v[0], 0x408f276du);
  EXPECT_EQ(ones.v[3], 0x6d5451fdu);
}

TEST(random, sequences_are_pure_and_shuffle_everything) {
  Sequence a(7, 1), b(7, 1), other(7, 2);
  std::vector<int> order(100);
  for (int i = 0; i < 100; ++i) order[static_cast<std::size_t>(i)] = i;
  std::vector<int> again = order;
  a.shuffle(order.begin(), order.end());
  b.shuffle(again.begin(), again.end());
  EXPECT_EQ(order, again);
  EXPECT_EQ(std::set<int>(order.begin(), order.end()).size(), 100u);
  EXPECT_NE(Sequence(7, 1).word(), other.word());
  double mean = 0, square = 0;
  for (int i = 0; i < 20000; ++i) {
    const double z = a.normal();
    mean += z / 20000;
    square += z * z / 20000;
  }
  EXPECT_NEAR(mean, 0, 0.03);
  EXPECT_NEAR(square, 1, 0.05);
}

TEST(parameters, initial_values_do_not_depend_on_the_order) {
  Parameters one, two;
  one.add("a", {50}, gaussian(1));
  one.add("b", {50}, gaussian(1));
  two.add("b", {50}, gaussian(1));
  one.initialise(3);
  two.initialise(3);
  EXPECT_EQ(one.find("b")->value.floats(), two.find("b")->value.floats());
  EXPECT_NE(one.find("a")->value.floats(), one.find("b")->value.floats());
  EXPECT_THROW(one.add("a", {1}, constant(0)), Error);
}

TEST(parameters, freezing_is_not_watching) {
  Parameters store;
  store.add("trunk.w", {2}, constant(1));
  store.add("head.w", {2}, constant(1));
  store.add_statistic("trunk.mean", {2}, 0);
  store.initialise(1);
  store.freeze("trunk");
  EXPECT_FALSE(store.find("trunk.w")->value.watched());
  EXPECT_TRUE(store.find("head.w")->value.watched());
  EXPECT_EQ(store.count(true), 2);
  EXPECT_EQ(store.count(), 4);
  store.unfreeze("trunk");
  EXPECT_FALSE(store.find("trunk.mean")->value.watched());
  EXPECT_EQ(store.pack().ranges.size(), 2u);
}

TEST(graph, runs_the_function_every_time_on_the_cpu) {
  int calls = 0;
  Graph step([&] { ++calls; });
  for (int i = 0; i < 4; ++i) step.run();
  EXPECT_EQ(calls, 4);
  EXPECT_FALSE(step.captured());
}

TEST(device, names) {
  EXPECT_EQ(device_named("cpu"), Device::cpu());
  EXPECT_NE(error_of([] { device_named("gpu"); }).find("auto, cpu, cuda"), std::string::npos);
  EXPECT_NE(error_of([] { device_named("cuda:99"); }).find("--device cpu always works"), std::string::npos);
}

}  // namespace
}  // namespace dactyl
