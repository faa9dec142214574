// What a training step holds.
#include <gtest/gtest.h>

#include "kernels/ops.h"
#include "nets/nets.h"
#include "tests/inputs.h"

namespace dactyl {
namespace {

// Gradients are of other sizes than what was freed before them: a pool that hands out blocks of their own size alone
// holds 1.7 times what is in use here.
TEST(Memory, a_step_of_i3d_holds_little_more_than_is_in_use) {
  const Model model = make_model("i3d", {.classes = 5, .height = 64, .width = 64, .frames = 9, .dropout = 0});
  const Flat flat = model.parameters->pack();
  const auto pool = Pool::host();
  pool->trim();
  const i64 in_use = pool->in_use(), held = pool->held();
  pool->reset_peak();
  for (int i = 0; i < 2; ++i) {
    for (const auto& slot : flat.slots) slot->filled = false;
    const Tensor x = Tensor::zeros(model.input.shape(4));
    Pass pass{.training = true};
    Tape tape;
    tape.backward(cross_entropy(model.forward(x, pass), Tensor::from({4}, std::vector<std::int32_t>{1, 4, 0, 2})));
  }
  EXPECT_GT(pool->peak() - in_use, i64{20} << 20);
  EXPECT_LE(double(pool->held() - held), 1.1 * double(pool->peak() - in_use));
}

}  // namespace
}  // namespace dactyl
