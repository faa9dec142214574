// The tape: who gets which gradient, when leaves are told, what freezing saves.
#include "engine/tape.h"

#include <gtest/gtest.h>

#include "engine/context.h"
#include "engine/parameters.h"
#include "engine/trace.h"

namespace dactyl {
namespace {

// y = factor · x, with its derivative, from the engine alone.
Tensor times(const Tensor& x, float factor) {
  Tensor y = empty_like(x);
  for (i64 i = 0; i < x.count(); ++i) y.data<float>()[i] = factor * x.data<float>()[i];
  return record("times", {x}, y, [factor](const Tensor& dy) { return Grads{times(dy.dense(), factor)}; });
}

Tensor sum(const Tensor& a, const Tensor& b) {
  Tensor y = empty_like(a);
  for (i64 i = 0; i < a.count(); ++i) y.data<float>()[i] = a.data<float>()[i] + b.data<float>()[i];
  return record("sum", {a, b}, y, [](const Tensor& dy) { return Grads{dy, dy}; });
}

TEST(tape, adds_the_gradients_of_all_uses) {
  Tensor x = Tensor::scalar(2);
  x.watch();
  Tape tape;
  const Tensor y = sum(times(x, 3), sum(times(x, 5), x));
  EXPECT_EQ(tape.size(), 4u);
  tape.backward(y);
  EXPECT_EQ(x.grad().item(), 9);
  EXPECT_EQ(tape.size(), 0u);
}

TEST(tape, adds_many_gradients_in_passes_of_four) {
  for (const int uses : {2, 3, 4, 5, 9}) {
    Tensor x = Tensor::full({3}, 2), y = x.watch();
    Tape tape;
    const Tensor shared = times(x, 1);
    y = shared;
    for (int i = 1; i < uses; ++i) y = sum(y, times(shared, static_cast<float>(i)));
    tape.backward(record("total", {y}, Tensor::scalar(0), [](const Tensor&) { return Grads{Tensor::full({3}, 1)}; }));
    EXPECT_EQ(x.grad().floats(), std::vector<float>(3, static_cast<float>(1 + uses * (uses - 1) / 2)));
  }
}

TEST(tape, gradients_that_are_slices_are_added) {
  Tensor x = Tensor::full({2, 2}, 1);
  x.watch();
  Tape tape;
  const Tensor y = record("twice", {x, x}, Tensor::scalar(0), [](const Tensor&) {
    const Tensor wide = Tensor::from({2, 3}, std::vector<float>{1, 2, 3, 4, 5, 6});
    return Grads{wide.slice(0, 2), wide.slice(1, 2)};
  });
  tape.backward(y);
  EXPECT_EQ(x.grad().floats(), (std::vector<float>{3, 5, 9, 11}));
}

TEST(tape, a_derivative_may_write_where_its_gradient_gathers) {
  Parameters store;
  Parameter& a = store.add("a", {3}, constant(1));
  store.initialise(1);
  const Flat flat = store.pack();
  const auto slot = a.value.slot();
  const auto place = [&] { return place_of_gradient(slot, {3}, DType::f32, Device::cpu()); };
  Tape tape;
  const Tensor y = record("twice", {a.value, a.value}, Tensor::scalar(0), [&](const Tensor&) {
    EXPECT_TRUE(place().same_storage(flat.grads));
    EXPECT_FALSE(place_of_gradient(slot, {3}, DType::bf16, Device::cpu()).same_storage(flat.grads)) << "another type";
    EXPECT_FALSE(place_of_gradient(slot, {1, 3}, DType::f32, Device::cpu()).same_storage(flat.grads));
    EXPECT_FALSE(place_of_gradient({}, {3}, DType::f32, Device::cpu()).same_storage(flat.grads)) << "not watched";
    const Tensor first = place();
    first.detached().fill(2);
    return Grads{first, Tensor::full({3}, 5)};
  });
  tape.backward(y);
  EXPECT_FALSE(place().same_storage(flat.grads)) << "what has gathered there would be lost";
  EXPECT_EQ(view(flat.grads, 0, {3}).floats(), std::vector<float>(3, 7));
}

TEST(tape, a_shared_gradient_is_not_written_over) {
  Tensor a = Tensor::scalar(1), b = Tensor::scalar(1);
  a.watch();
  b.watch();
  Tape tape;
  // `sum` hands the same tensor to both inputs; adding to a's must not change b's.
  tape.backward(sum(sum(a, b), times(a, 10)));
  EXPECT_EQ(a.grad().item(), 11);
  EXPECT_EQ(b.grad().item(), 1);
}

TEST(tape, records_nothing_without_a_watched_input_or_a_tape) {
  Tensor x = Tensor::scalar(2), w = Tensor::scalar(1);
  EXPECT_FALSE(times(x.watch(), 3).watched());
  x.unwatch();
  Tape tape;
  EXPECT_FALSE(times(x, 3).watched());
  EXPECT_EQ(tape.size(), 0u);
  EXPECT_TRUE(sum(x, w.watch()).watched());
}

TEST(tape, tells_each_leaf_once_when_it_is_complete) {
  Tensor x = Tensor::scalar(2), w = Tensor::scalar(1);
  x.watch();
  w.watch();
  std::vector<const Slot*> ready;
  Tape tape;
  tape.backward(sum(times(sum(x, w), 2), x), [&](const Slot& leaf) { ready.push_back(&leaf); });
  ASSERT_EQ(ready.size(), 2u);
  EXPECT_NE(ready[0], ready[1]);
  EXPECT_EQ(x.grad().item(), 3);
}

TEST(tape, frees_closures_while_walking) {
  Tensor x = Tensor::scalar(1);
  x.watch();
  auto saved = std::make_shared<int>(1);
  Tape tape;
  Tensor y = record("keep", {x}, x.clone(), [saved](const Tensor& dy) { return Grads{dy}; });
  y = record("look", {y}, y.clone(), [&](const Tensor& dy) {
    EXPECT_EQ(saved.use_count(), 2);
    return Grads{dy};
  });
  tape.backward(y);
  EXPECT_EQ(saved.use_count(), 1);
}

TEST(tape, refuses_a_loss_of_many_numbers_and_a_second_tape) {
  Tensor x = Tensor::zeros({2, 3});
  x.watch();
  Tape tape;
  const Tensor y = times(x, 1);
  try {
    tape.backward(y);
    FAIL();
  } catch (const Error& e) {
    EXPECT_NE(std::string(e.what()).find("(2, 3)"), std::string::npos) << e.what();
  }
  EXPECT_THROW(Tape second, Error);
}

TEST(tape, check_finite_names_the_operation) {
  Tensor x = Tensor::scalar(0);
  Context::current().check_finite = true;
  try {
    times(x, std::numeric_limits<float>::infinity());
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.exit(), Exit::numerics);
    EXPECT_NE(std::string(e.what()).find("times"), std::string::npos) << e.what();
  }
  Context::current().check_finite = false;
}

TEST(tape, check_finite_says_in_which_layer_a_gradient_went_wrong) {
  Tensor x = Tensor::scalar(1);
  x.watch();
  Context::current().check_finite = true;
  Tape tape;
  Tensor y;
  {
    const Range layer("conv2");
    y = record("flaw", {x}, x.clone(),
               [](const Tensor&) { return Grads{Tensor::scalar(std::numeric_limits<float>::quiet_NaN())}; });
  }
  try {
    tape.backward(y);
    FAIL();
  } catch (const Error& e) {
    EXPECT_NE(std::string(e.what()).find("flaw in conv2: 1 of the 1 numbers of its gradient"), std::string::npos)
        << e.what();
  }
  Context::current().check_finite = false;
}

TEST(tape, packed_parameters_gather_in_the_flat_buffer) {
  Parameters store;
  Parameter& a = store.add("a", {3}, constant(1));
  Parameter& b = store.add("b", {300}, constant(2));
  store.add_statistic("mean", {3}, 0);
  store.initialise(1);
  const Flat flat = store.pack();
  EXPECT_EQ(flat.values.count(), 3 * Flat::chunk);
  EXPECT_EQ(flat.ranges[1].first, Flat::chunk);
  Tape tape;
  Tensor y = times(a.value, 4);
  y = record("total", {y, b.value}, Tensor::scalar(0), [&](const Tensor&) {
    return Grads{Tensor::full({3}, 1), Tensor::full({300}, 7)};
  });
  tape.backward(y);
  EXPECT_EQ(flat.grads.floats()[2], 4);
  EXPECT_EQ(flat.grads.floats()[3], 0);
  EXPECT_EQ(flat.grads.floats()[Flat::chunk + 299], 7);
  EXPECT_TRUE(flat.slots[0]->filled);
}

TEST(tape, a_narrow_net_learns_on_copies) {
  Parameters store;
  store.add("a", {3}, constant(1.001));
  store.add("scale", {2}, constant(1)).wide = true;
  store.add("b", {300}, constant(2));
  store.initialise(1);
  const Flat flat = store.pack(DType::bf16);
  Parameter &a = *store.find("a"), &scale = *store.find("scale"), &b = *store.find("b");
  EXPECT_EQ(flat.ranges[1].name, "b") << "the wide ones are last";
  EXPECT_EQ(flat.narrow.count(), 3 * Flat::chunk);
  EXPECT_EQ(flat.grads.count(), Flat::chunk);
  EXPECT_EQ(a.narrow.floats()[0], 1);
  EXPECT_FLOAT_EQ(a.value.floats()[0], 1.001f);
  EXPECT_TRUE(a.narrow.watched() && !a.value.watched() && scale.value.watched() && !scale.narrow.defined());
  Tape tape;
  tape.backward(record("total", {a.learned(), b.learned(), scale.learned()}, Tensor::scalar(0), [](const Tensor&) {
    return Grads{Tensor::full({3}, 4, DType::bf16), Tensor::full({300}, 7, DType::bf16), Tensor::full({2}, 0.1)};
  }));
  EXPECT_EQ(flat.narrow_grads.floats()[2], 4);
  EXPECT_EQ(flat.narrow_grads.floats()[Flat::chunk + 299], 7);
  EXPECT_EQ(flat.grads.floats()[1], 0.1f);
  store.train_only([](const Parameter& p) { return p.name == "b"; });
  EXPECT_FALSE(b.narrow.defined());
  EXPECT_TRUE(b.value.watched());
}

}  // namespace
}  // namespace dactyl
