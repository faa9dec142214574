#include "kernels/ops.h"
#include "tests/check_op.h"

namespace dactyl {

using Values = std::vector<float>;

TEST(Concat, by_hand) {
  on_each_device([] {
    const Tensor a = Tensor::from({1, 1, 2, 1}, Values{1, 2}), b = Tensor::from({1, 1, 2, 2}, Values{3, 4, 5, 6});
    EXPECT_EQ(concat({a, b}).floats(), (Values{1, 3, 4, 2, 5, 6}));
  });
}

TEST(Concat, neighbouring_slices_are_not_copied) {
  on_each_device([] {
    const Tensor wide = Tensor::from({2, 4}, Values{1, 2, 3, 4, 5, 6, 7, 8});
    const Tensor a = wide.slice(0, 1), b = wide.slice(1, 3);
    EXPECT_TRUE(concat({a, b}).same_storage(wide));
    EXPECT_EQ(concat({a, b}).floats(), wide.floats());
    EXPECT_TRUE(concat({a, b}).is_dense());
    EXPECT_EQ(concat({wide.slice(1, 1), wide.slice(2, 1)}).floats(), (Values{2, 3, 6, 7}));
    EXPECT_FALSE(concat({b, a}).same_storage(wide));
    EXPECT_EQ(concat({b, a}).floats(), (Values{2, 3, 4, 1, 6, 7, 8, 5}));
    EXPECT_EQ(concat({a, wide.slice(2, 2)}).floats(), (Values{1, 3, 4, 5, 7, 8}));
  });
}

// Slices on the 16-byte grid and off it, whose copies move 16 bytes or one number at a time.
TEST(Concat, slices_of_any_width_are_copied) {
  on_each_device([] {
    for (const DType type : {DType::u8, DType::bf16, DType::f32, DType::f64})
      for (const i64 first : {0, 3, 16})
        for (const i64 channels : {16, 5}) {
          Tensor wide({7, 48}, type, Device::cpu());
          for (i64 i = 0; i < wide.bytes(); ++i) wide.raw()[i] = static_cast<std::byte>(i % 251);
          wide = wide.to(Context::current().device());
          const Tensor part = wide.slice(first, channels), copy = part.dense();
          const Tensor host = copy.to(Device::cpu()), all = wide.to(Device::cpu());
          const i64 size = size_of(type);
          for (i64 r = 0; r < 7; ++r)
            EXPECT_EQ(std::memcmp(host.raw() + r * channels * size, all.raw() + (r * 48 + first) * size,
                                  static_cast<std::size_t>(channels * size)),
                      0)
                << to_text(type) << " " << first << " " << channels << " row " << r;
        }
  });
}

TEST(Concat, gradients_of_slices_written_in_place) {
  on_each_device([] {
    const Tensor x = Tensor::from({1, 1, 1, 1}, Values{2}).watch(), w = Tensor::full({1, 1, 1, 1}, 3);
    Tape tape;
    const Tensor wide({1, 1, 1, 2});
    const Tensor a = conv(x, w, {.window = square(1), .into = wide.slice(0, 1)});
    const Tensor b = max_pool(x, {.window = square(1), .into = wide.slice(1, 1)});
    const Tensor y = concat({a, b});
    EXPECT_EQ(y.floats(), (Values{6, 2}));
    tape.backward(linear(y, Tensor::from({1, 2}, Values{10, 100})));
    EXPECT_EQ(x.grad().item(), 130);
  });
}

TEST(Concat, everything) {
  const Op op = [](auto& x) { return concat({x[0], x[1], x[2]}); };
  check_op(op, {random({2, 3, 2}), random({2, 3, 1}), random({2, 3, 5})});
  check_op(op, {random({1, 2, 2, 2, 2}), random({1, 2, 2, 2, 3}), fixed(random({1, 2, 2, 2, 1}))});
}

TEST(ConcatRows, by_hand) {
  on_each_device([] {
    const Tensor all = Tensor::from({3, 2}, Values{1, 2, 3, 4, 5, 6});
    EXPECT_TRUE(concat_rows({all.rows(0, 1), all.rows(1, 2)}).same_storage(all));
    EXPECT_EQ(concat_rows({all.rows(0, 1), all.rows(1, 2)}).floats(), all.floats());
    EXPECT_EQ(concat_rows({all.rows(2, 1), all.rows(0, 2)}).floats(), (Values{5, 6, 1, 2, 3, 4}));
    EXPECT_EQ(concat_rows({all.rows(0, 1), all.rows(2, 1)}).floats(), (Values{1, 2, 5, 6}));
  });
}

TEST(ConcatRows, everything) {
  const Op op = [](auto& x) { return concat_rows({x[0], x[1], x[2]}); };
  check_op(op, {random({2, 1, 1, 3}), random({1, 1, 1, 3}), random({5, 1, 1, 3})}, {.slices = false});
  check_op(op, {random({2}), random({4}), fixed(random({1}))}, {.slices = false});
}

// Neighbours in a packed buffer: neither the weights nor their gradients are copied.
TEST(ConcatRows, of_packed_parameters_works_in_place) {
  on_each_device([] {
    Parameters store;
    Parameter &a = store.add("a", {128, 1, 1, 4}, xavier()), &b = store.add("b", {64, 1, 1, 4}, xavier());
    store.initialise(1);
    store.to(Context::current().device());
    const Flat flat = store.pack();
    const Tensor x = random({2, 3, 3, 4}).value.to(DType::f32).to(flat.values.device());
    const auto gradients = [&](bool together) {
      for (const auto& slot : flat.slots) slot->filled = false;
      Tape tape;
      const Tensor w = together ? concat_rows({a.value, b.value}) : Tensor();
      const Tensor y = together
                           ? conv(x, w, {.window = square(1)})
                           : concat({conv(x, a.value, {.window = square(1)}), conv(x, b.value, {.window = square(1)})});
      if (together) {
        EXPECT_EQ(w.raw(), flat.values.raw());
      }
      tape.backward(
          record("total", {y}, Tensor::zeros({1}), [&](const Tensor&) { return Grads{Tensor::full(y.shape(), 0.5)}; }));
      EXPECT_TRUE(flat.slots[0]->filled && flat.slots[1]->filled);
      return flat.grads.floats();
    };
    expect_close("gradients", numbers(Tensor::from({768}, gradients(true))),
                 numbers(Tensor::from({768}, gradients(false))), 1e-5);
  });
}

TEST(ConcatRows, refuses_nonsense) {
  expect_error([] { concat_rows({Tensor::zeros({1, 2}), Tensor::zeros({1, 3})}); }, {"(1, 2)", "(1, 3)"});
  expect_error([] { concat_rows({}); }, {"no parts"});
}

TEST(Split, everything) {
  const Op op = [](auto& x) {
    const std::vector<Tensor> parts = split(x[0], {8, 16, 4});
    return concat({relu(parts[2]), parts[0], relu(parts[1])});
  };
  check_op(op, {random({2, 3, 28})});
  check_op(op, {random({1, 2, 2, 2, 28})});
}

// Normalisations write their gradients side by side, and the convolution behind them reads one tensor.
TEST(Split, gradients_gather_side_by_side) {
  const Op op = [](auto& x) {
    const std::vector<Tensor> parts = split(x[0], {16, 8});
    std::vector<Tensor> y;
    for (const Tensor& part : parts) {
      const Tensor zero = Tensor::zeros({part.shape().channels()}, x[1].dtype());
      const Tensor beta = Tensor::full(zero.shape(), 0.3, zero.dtype());  // a number that is its mean is no kink
      y.push_back(batch_norm(part, {}, beta, zero, zero.clone(), {.relu = true}));
    }
    return add(concat(y), x[0]);
  };
  check_op(op, {random({3, 5, 24}), wide(fixed(random({1})))}, {.slack = 4});
}

TEST(Split, parts_without_a_gradient_count_as_zero) {
  on_each_device([] {
    for (const int used : {0, 1, 2}) {
      const Tensor x = Tensor::full({2, 3}, 1).watch();
      Tape tape;
      const std::vector<Tensor> parts = split(x, {1, 1, 1});
      const Tensor y = parts[static_cast<std::size_t>(used)];
      tape.backward(record("total", {y}, Tensor::zeros({1}), [&](const Tensor&) {
        return Grads{Tensor::full({2, 1}, 7)};
      }));
      Values want(6, 0);
      want[static_cast<std::size_t>(used)] = want[static_cast<std::size_t>(used) + 3] = 7;
      EXPECT_EQ(x.grad().floats(), want);
    }
  });
}

TEST(Split, refuses_nonsense) {
  expect_error([] { split(Tensor::zeros({1, 2, 3}), {1, 1}); }, {"2 channels", "(1, 2, 3)"});
  expect_error([] { split(Tensor::zeros({1, 3}), {2, 2}); }, {"2 to 4", "(1, 3)"});
}

TEST(Concat, refuses_nonsense) {
  expect_error([] { concat({Tensor::zeros({1, 2, 3}), Tensor::zeros({1, 3, 3})}); }, {"(1, 2, 3)", "(1, 3, 3)"});
  expect_error([] { concat({}); }, {"no parts"});
}

TEST(Flatten, everything) {
  EXPECT_EQ(flatten(Tensor::zeros({2, 3, 4, 5})).shape(), (Shape{2, 60}));
  check_op([](auto& x) { return flatten(x[0]); }, {random({2, 3, 2, 2})});
}

}  // namespace dactyl
