// check_op must find what it looks for: each test plants one fault.
#include "tests/check_op.h"

#include <gtest/gtest-spi.h>

#include "kernels/ops.h"

namespace dactyl {
namespace {

// What check_op says about an operation on the CPU.
std::string complaints(const Op& op, const std::vector<Input>& inputs = {random({3, 5})}) {
  testing::TestPartResultArray failures;
  {
    const testing::ScopedFakeTestPartResultReporter catcher(
        testing::ScopedFakeTestPartResultReporter::INTERCEPT_ONLY_CURRENT_THREAD, &failures);
    const Tensor dy = random(run(op, inputs).y.shape()).value;
    check_gradient(op, inputs, dy);
    check_device(op, inputs, dy, Device::cpu(), {.types = {DType::f32}});
  }
  std::string text;
  for (int i = 0; i < failures.size(); ++i) text += std::string(failures.GetTestPartResult(i).message()) + "\n";
  return text;
}

Tensor copied(const Tensor& x) {
  return record("copied", {x}, x.clone(), [](const Tensor& dy) { return Grads{dy.clone()}; });
}

void expect_complaint(const std::string& part, const Op& op) {
  const std::string text = complaints(op);
  EXPECT_NE(text.find(part), std::string::npos) << "'" << part << "' is not among: " << text;
}

}  // namespace

TEST(CheckOp, finds_nothing_wrong_with_a_copy) {
  EXPECT_EQ(complaints([](auto& x) { return copied(x[0]); }), "");
}

TEST(CheckOp, finds_a_wrong_gradient) {
  expect_complaint("gradient of input 0", [](auto& x) {
    return record("wrong", {x[0]}, x[0].clone(), [](const Tensor& dy) { return Grads{add(dy, dy, 1e-6)}; });
  });
}

TEST(CheckOp, finds_a_wrong_value_in_one_type) {
  expect_complaint("value", [](auto& x) { return add(copied(x[0]), x[0], x[0].dtype() == DType::f32 ? 1.001 : 1); });
}

TEST(CheckOp, finds_other_bits_in_the_second_run) {
  double drift = 0;
  expect_complaint("the second run", [&](auto& x) { return add(copied(x[0]), x[0], drift += 1e-7); });
}

TEST(CheckOp, finds_a_stray_write) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "the address sanitizer stops the program at the write itself (PoolDeathTest)";
#endif
  expect_complaint("written behind their end", [](auto& x) {
    const Tensor y = copied(x[0]);
    y.raw()[y.bytes()] = std::byte{1};
    return y;
  });
}

TEST(CheckOp, finds_a_number_never_written) {
  expect_complaint("memory full of NaN", [](auto& x) {
    const Tensor source = x[0].dense();
    Tensor y = empty_like(source);
    std::memcpy(y.raw(), source.raw(), static_cast<std::size_t>(y.bytes() - size_of(y.dtype())));
    return record("short", {x[0]}, y, [](const Tensor& dy) { return Grads{dy.clone()}; });
  });
}

TEST(CheckOp, finds_a_slice_read_as_dense) {
  expect_complaint("slices of wider tensors", [](auto& x) {
    Tensor y = empty_like(x[0]);
    std::memcpy(y.raw(), x[0].raw(), static_cast<std::size_t>(y.bytes()));
    return record("dense", {x[0]}, y, [](const Tensor& dy) { return Grads{dy.clone()}; });
  });
}

TEST(CheckOp, finds_a_changed_argument) {
  expect_complaint("changed its argument", [](auto& x) {
    const Tensor y = copied(x[0]);
    if (x[0].pitch() != 5) Tensor(x[0]).fill(0);
    return y;
  });
}

}  // namespace dactyl
