// Which derivatives may add to what has arrived, and that each contribution counts once.
#include <gtest/gtest.h>

#include "engine/fork.h"
#include "engine/parameters.h"
#include "engine/tape.h"

namespace dactyl {
namespace {

constexpr i64 n = 3;

// y = x; the derivative gives a tensor of its own.
Tensor reading(const Tensor& x) {
  return record("reading", {x}, x.clone(), [](const Tensor& dy) { return Grads{dy.clone()}; });
}

// The same, but if the derivative is offered a sum it adds to it, or declines.
Tensor adding(const Tensor& x, bool& offered, bool declines = false) {
  return record("adding", {x}, x.clone(), [slot = x.slot(), &offered, declines](const Tensor& dy) {
    const Tensor sum = sum_to_add_to(slot, dy.shape(), dy.dtype(), dy.device());
    offered = sum.defined();
    if (!offered || declines) return Grads{dy.clone()};
    for (i64 i = 0; i < n; ++i) sum.data<float>()[i] += dy.data<float>()[i];
    return Grads{sum};
  });
}

// One number; the gradients of the parts are 1, 10, 100…
Tensor total(const std::vector<Tensor>& parts) {
  return record("total", parts, Tensor::scalar(0), [count = parts.size()](const Tensor&) {
    Grads grads;
    double value = 1;
    for (std::size_t i = 0; i < count; ++i, value *= 10) grads.push_back(Tensor::full({n}, value));
    return grads;
  });
}

Tensor leaf() { return Tensor::full({n}, 1).watch(); }
std::vector<float> threefold(float value) { return std::vector<float>(n, value); }

TEST(gradient_sum, is_offered_once_something_has_arrived) {
  for (const bool declines : {false, true}) {
    bool first = false, second = false, third = true;
    const Tensor x = leaf();
    Tape tape;
    const Tensor a = adding(x, first), b = adding(x, second, declines), c = reading(x), d = adding(x, third);
    tape.backward(total({a, b, c, d}));
    EXPECT_FALSE(third) << "nothing is there";
    EXPECT_FALSE(second) << "something waits to be added";
    EXPECT_FALSE(first);
    EXPECT_EQ(x.grad().floats(), threefold(1111));
  }
  for (const bool declines : {false, true}) {
    bool first = false, second = false;
    const Tensor x = leaf();
    Tape tape;
    const Tensor a = adding(x, first), b = adding(x, second, declines), c = reading(x);
    tape.backward(total({a, b, c}));
    EXPECT_TRUE(second);
    EXPECT_EQ(first, !declines) << "what a derivative declined to add waits";
    EXPECT_EQ(x.grad().floats(), threefold(111));
  }
}

TEST(gradient_sum, lies_where_the_first_contribution_was) {
  const Tensor x = leaf();
  bool offered = false;
  const std::byte* first = nullptr;
  Tape tape;
  const Tensor a = adding(x, offered), b = record("other", {x}, x.clone(), [&](const Tensor&) {
                                         const Tensor own = Tensor::full({n}, 5);
                                         first = own.raw();
                                         return Grads{own};
                                       });
  tape.backward(total({a, b}));
  EXPECT_TRUE(offered);
  EXPECT_EQ(x.grad().raw(), first);
  EXPECT_EQ(x.grad().floats(), threefold(6));
}

TEST(gradient_sum, is_not_offered_where_somebody_else_reads_it) {
  const Tensor x = leaf(), z = leaf();
  bool offered = true;
  Tape tape;
  const Tensor a = adding(x, offered);
  const Tensor b = record("both", {x, z}, x.clone(), [](const Tensor& dy) { return Grads{dy, dy}; });
  tape.backward(total({a, b}));
  EXPECT_FALSE(offered);
  EXPECT_EQ(x.grad().floats(), threefold(11));
  EXPECT_EQ(z.grad().floats(), threefold(10));
}

TEST(gradient_sum, counts_a_gradient_twice_that_comes_twice) {
  const Tensor x = leaf();
  bool offered = true;
  Tape tape;
  const Tensor a = adding(x, offered);
  const Tensor b = record("twice", {x, x}, x.clone(), [](const Tensor& dy) { return Grads{dy, dy}; });
  tape.backward(total({a, b}));
  EXPECT_FALSE(offered);
  EXPECT_EQ(x.grad().floats(), threefold(21));
}

TEST(gradient_sum, is_offered_only_outside_of_branches) {
  for (const bool outside : {true, false}) {
    const Tensor x = leaf();
    bool offered = !outside;
    Tape tape;
    Tensor a, b;
    if (outside) a = adding(x, offered);
    {
      Fork fork;
      fork([&] {
        if (!outside) a = adding(x, offered);
      });
      fork([&] { b = reading(x); });
    }
    tape.backward(total({a, b}));
    EXPECT_EQ(offered, outside);
    EXPECT_EQ(x.grad().floats(), threefold(11));
  }
}

TEST(gradient_sum, may_be_a_packed_parameters_place) {
  Parameters store;
  const Parameter& p = store.add("p", {n}, constant(1));
  store.initialise(1);
  const Flat flat = store.pack();
  bool offered = false;
  Tape tape;
  const Tensor a = adding(p.value, offered), b = reading(p.value);
  tape.backward(total({a, b}));
  EXPECT_TRUE(offered);
  EXPECT_EQ(view(flat.grads, 0, {n}).floats(), threefold(11));
}

TEST(gradient_sum, is_offered_if_it_fits) {
  const auto offered = [](const Shape& shape, DType type, i64 beside) {
    const Tensor x = Tensor::full({2, n}, 1).watch();
    bool there = false;
    Tape tape;
    const Tensor a = record("asking", {x}, x.clone(), [&](const Tensor& dy) {
      there = sum_to_add_to(x.slot(), shape, type, Device::cpu()).defined();
      return Grads{dy.clone()};
    });
    const Tensor b = record("giving", {x}, x.clone(), [&](const Tensor&) {
      return Grads{Tensor::full({2, n + beside}, 3).slice(0, n)};
    });
    tape.backward(record("total", {a, b}, Tensor::scalar(0), [](const Tensor&) {
      return Grads{Tensor::full({2, n}, 1), Tensor::full({2, n}, 1)};
    }));
    EXPECT_EQ(x.grad().floats(), std::vector<float>(2 * n, 4));
    return there;
  };
  EXPECT_TRUE(offered({2, n}, DType::f32, 0));
  EXPECT_FALSE(offered({n, 2}, DType::f32, 0));
  EXPECT_FALSE(offered({2, n}, DType::bf16, 0));
  EXPECT_FALSE(offered({2, n}, DType::f32, 1)) << "a slice";
}

}  // namespace
}  // namespace dactyl
