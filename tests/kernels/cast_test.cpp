#include "kernels/ops.h"
#include "tests/check_op.h"

namespace dactyl {

TEST(Cast, rounds_to_nearest_even) {
  const Tensor x = Tensor::from({3}, std::vector<float>{1.00390625f, 1.01171875f, -70000});
  EXPECT_EQ(cast(x, DType::bf16).floats(), (std::vector<float>{1, 1.015625f, -70144}));
  EXPECT_EQ(cast(Tensor::scalar(2049), DType::f16).item(), 2048);
  EXPECT_EQ(cast(x, DType::f32).raw(), x.raw());
}

TEST(Cast, everything) {
  for (const DType to : {DType::f64, DType::f32})
    check_op([to](auto& x) { return cast(x[0], to); }, {random({3, 5})}, {.gradient = to == DType::f64});
}

// Enough numbers for packs of 16 bytes and some that fill none, between all types and against the CPU.
TEST(Cast, every_device_rounds_alike) {
  const DType types[] = {DType::f64, DType::f32, DType::bf16, DType::f16};
  for (const DType from : types)
    for (const DType to : types) {
      const Tensor x = random({7, 59}, -300, 500).value.to(from), want = x.to(to);
      on_each_device([&] {
        const Device device = Context::current().device();
        EXPECT_TRUE(same_bits(cast(x.to(device), to), want)) << to_text(from) << " to " << to_text(to);
        const Tensor odd = view(x.to(device).reshaped({7 * 59}), 1, {400});  // off the 16-byte grid
        EXPECT_TRUE(same_bits(cast(odd, to), view(want.reshaped({7 * 59}), 1, {400})));
      });
    }
}

TEST(Cast, gradient_returns_in_the_type_of_x) {
  on_each_device([] {
    Tensor x = Tensor::from({2}, std::vector<float>{1, 2}).to(DType::bf16);
    x.watch();
    Tape tape;
    const Tensor y = cast(x, DType::f32), dy = Tensor::from({2}, std::vector<float>{3, 1.0009765625f});
    tape.backward(record("projection", {y}, Tensor::zeros({1}), [&](const Tensor&) { return Grads{dy}; }));
    EXPECT_EQ(x.grad().dtype(), DType::bf16);
    EXPECT_EQ(x.grad().floats(), (std::vector<float>{3, 1}));
  });
}

TEST(Cast, refuses_bytes) {
  expect_error([] { cast(Tensor::zeros({2}), DType::u8); }, {"u8"});
}

}  // namespace dactyl
