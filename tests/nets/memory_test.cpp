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
    const Tensor x = Tensor::zeros(model.input.shape(2));
    Pass pass{.training = true};
    Tape tape;
    tape.backward(cross_entropy(model.forward(x, pass), Tensor::from({2}, std::vector<std::int32_t>{1, 4})));
  }
  EXPECT_GT(pool->peak() - in_use, i64{10} << 20);
  EXPECT_LE(double(pool->held() - held), 1.1 * double(pool->peak() - in_use));
}

Tensor noise(const Shape& shape) {
  std::vector<float> numbers;
  Sequence random(31);
  for (i64 i = 0; i < shape.count(); ++i) numbers.push_back(static_cast<float>(random.normal()));
  return Tensor::from(shape, numbers);
}

struct Step {
  std::vector<float> loss, gradients, statistics;
  i64 kept;  // bytes for the way back
};

Step step(const std::string& name, bool recompute) {
  const i64 frames = name == "i3d" ? 9 : 0, side = frames ? 64 : 96;
  Context::current().recompute = recompute;
  const Model model = make_model(
      name, {.classes = 5, .height = side, .width = side, .frames = frames, .auxiliary = false, .dropout = 0.5});
  model.parameters->to(Context::current().device());
  const Flat flat = model.parameters->pack();
  Random random(7, Context::current().device());
  const Tensor x = noise(model.input.shape(2));
  const Tensor labels = Tensor::from({2}, std::vector<std::int32_t>{1, 4});
  const auto pool = Context::current().pool();
  const i64 before = pool->in_use();
  Step result;
  {
    Pass pass{.training = true, .random = &random};
    Tape tape;
    const Tensor loss = cross_entropy(model.forward(x, pass), labels);
    result.kept = pool->in_use() - before;
    tape.backward(loss);
    result.loss = loss.floats();
    result.gradients = flat.grads.floats();
  }
  for (const Parameter& p : model.parameters->all())
    if (p.statistic)
      for (const float number : p.value.floats()) result.statistics.push_back(number);
  Context::current().recompute = false;
  return result;
}

TEST(Memory, what_is_computed_again_has_the_same_bits) {
  on_each_device([] {
    for (const char* name : {"i3d", "googlenet-bn", "mobilenet"}) {
      const Step kept = step(name, false), again = step(name, true);
      EXPECT_EQ(kept.loss, again.loss) << name;
      EXPECT_EQ(kept.gradients, again.gradients) << name;
      EXPECT_EQ(kept.statistics, again.statistics) << name;
    }
  });
}

TEST(Memory, less_is_kept_where_normalised_numbers_are_computed_again) {
  for (const char* name : {"i3d", "googlenet-bn"}) {
    const i64 kept = step(name, false).kept, again = step(name, true).kept;
    EXPECT_LT(double(again), 0.87 * double(kept)) << name << ": " << again << " of " << kept << " bytes";
  }
}

}  // namespace
}  // namespace dactyl
