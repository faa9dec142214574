#include "engine/each.h"
#include "kernels/ops.h"
#include "tests/check_op.h"

namespace dactyl {
namespace {

struct Difference {
  template <class C>
  C operator()(C a, C b) const {
    return a - b;
  }
};

}  // namespace

TEST(Relu, value) {
  const Tensor y = relu(Tensor::from({2, 2}, std::vector<float>{-1, 0, 2, -3}));
  EXPECT_EQ(y.floats(), (std::vector<float>{0, 0, 2, 0}));
}

TEST(Relu, shows_nan) { EXPECT_TRUE(std::isnan(relu(Tensor::scalar(NAN)).item())); }

// What `map` runs on a GPU, here on the CPU: whole packs and the numbers that fill none.
TEST(Map, packs_equal_single_numbers) {
  for (i64 n = 1; n < 40; ++n) {
    const Tensor x = random({n}).value.to(DType::bf16), y = random({n}).value.to(DType::bf16);
    const Tensor want = Tensor::full({n + 8}, 7, DType::bf16), got = want.clone();
    const detail::MapBody<Difference, bf16, 0, 1> one{{}, want.data<bf16>(), {x.data<bf16>(), y.data<bf16>(), nullptr}};
    each(Device::cpu(), n, one);
    detail::PackedMapBody<Difference, bf16, 0, 1> packs{one, n};
    packs.one.y = got.data<bf16>();
    each(Device::cpu(), (n + 7) / 8, packs);
    EXPECT_TRUE(same_bits(got, want)) << n;
  }
}

TEST(Relu, everything) {
  check_op([](auto& x) { return relu(x[0]); }, {random({2, 3, 4})});
  check_op([](auto& x) { return relu(x[0]); }, {random({0, 4})});
  check_op([](auto& x) { return relu(x[0]); }, {random({7, 11, 13})});  // 125 packs of a narrow type and one number
  check_op([](auto& x) { return relu(x[0]); }, {random({1, 1, 1, 1})});
}

}  // namespace dactyl
