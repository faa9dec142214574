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

TEST(Concat, refuses_nonsense) {
  expect_error([] { concat({Tensor::zeros({1, 2, 3}), Tensor::zeros({1, 3, 3})}); }, {"(1, 2, 3)", "(1, 3, 3)"});
  expect_error([] { concat({}); }, {"no parts"});
}

TEST(Flatten, everything) {
  EXPECT_EQ(flatten(Tensor::zeros({2, 3, 4, 5})).shape(), (Shape{2, 60}));
  check_op([](auto& x) { return flatten(x[0]); }, {random({2, 3, 2, 2})});
}

}  // namespace dactyl
