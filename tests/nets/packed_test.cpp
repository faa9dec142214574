// Mixed precision: a net packed for bf16 learns what it learns when every weight is cast at every step, bit by bit.
#include <gtest/gtest.h>

#include "kernels/ops.h"
#include "nets/nets.h"

namespace dactyl {
namespace {

Model small(const std::string& name) {
  Model model = make_model(name, {.classes = 3, .height = 64, .width = 64, .auxiliary = false, .dropout = 0});
  model.parameters->initialise(3);
  model.to(Context::current().device());
  model.parameters->train_only([](const Parameter& p) { return !p.statistic; });
  return model;
}

void learn(Model& model, const Flat& flat, int steps) {
  const Tensor velocity = Tensor::zeros(flat.values.shape()), rate = Tensor::scalar(0.01);
  Tensor x = Tensor::zeros(model.input.shape(2), DType::bf16).detached();
  x.fill(0.5);
  for (int i = 0; i < steps; ++i) {
    for (const auto& slot : flat.slots) slot->filled = false;
    Tape tape;
    Pass pass{.training = true};
    tape.backward(cross_entropy(model.forward(x, pass), Tensor::from({2}, std::vector<std::int32_t>{i % 3, 2})));
    sgd(flat, velocity, rate, {.decay = 1e-3});
  }
}

void compare(const std::string& name, Device device) {
  const Use use(device);
  Model copied = small(name), cast = small(name);
  learn(copied, copied.parameters->pack(DType::bf16), 3);
  learn(cast, cast.parameters->pack(), 3);
  for (const Parameter& p : copied.parameters->all())
    EXPECT_EQ(p.value.floats(), cast.parameters->find(p.name)->value.floats()) << name << " " << p.name;
}

TEST(Packed, copies_change_no_bit) { compare("mobilenet-0.25", Device::cpu()); }

TEST(Packed, copies_change_no_bit_on_a_gpu) {
  if (gpu_count() == 0) GTEST_SKIP() << "no GPU here";
  for (const char* name : {"mobilenet-0.25", "googlenet-bn"}) compare(name, Device::cuda());
}

}  // namespace
}  // namespace dactyl
