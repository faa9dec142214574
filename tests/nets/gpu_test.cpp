// The nets on a GPU: the same scores and gradients as on the CPU, eager and as a captured graph.
#include <gtest/gtest.h>

#include <cmath>

#include "kernels/ops.h"
#include "nets/nets.h"

namespace dactyl {
namespace {

class NetsOnGpu : public testing::Test {
 protected:
  void SetUp() override {
    if (gpu_count() == 0) GTEST_SKIP() << "no GPU here";
  }
};

// Clips are short and small here: the CPU computes them as well.
ModelOptions sized(const std::string& name, ModelOptions options) {
  if (name == "i3d" || name.ends_with("lstm")) options.height = options.width = 64, options.frames = 9;
  return options;
}

Tensor picture(const Model& model, i64 batch) {
  Tensor x(model.input.shape(batch), DType::f32, Device::cpu());
  Sequence random(29);
  for (i64 i = 0; i < x.count(); ++i) x.data<float>()[i] = static_cast<float>(random.normal());
  return x;
}

double distance(const std::vector<float>& a, const std::vector<float>& b) {
  double difference = 0, size = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    difference += (double(a[i]) - b[i]) * (double(a[i]) - b[i]);
    size += double(b[i]) * b[i];
  }
  return std::sqrt(difference / (size + 1e-30));
}

struct Outcome {
  std::vector<float> scores;
  std::map<std::string, std::vector<float>> gradients;
};

Outcome step(const std::string& name, Device device, DType type) {
  const Use use(device);
  Model model = make_model(name, sized(name, {.classes = 10, .auxiliary = false, .dropout = 0}));
  const Tensor x = picture(model, 3).to(device);
  model.to(device);
  Outcome outcome;
  Pass inference, training{.training = true};
  outcome.scores = model.forward(x.to(type), inference).floats();
  Tape tape;
  tape.backward(
      cross_entropy(model.forward(x.to(type), training), Tensor::from({3}, std::vector<std::int32_t>{1, 7, 4})));
  for (const Parameter& p : model.parameters->all())
    if (!p.statistic) outcome.gradients[p.name] = p.value.grad().floats();
  return outcome;
}

TEST_F(NetsOnGpu, compute_what_the_cpu_computes) {
  for (const ModelInfo& info : models()) {
    const Outcome cpu = step(info.name, Device::cpu(), DType::f32), gpu = step(info.name, Device::cuda(), DType::f32);
    EXPECT_LT(distance(gpu.scores, cpu.scores), 1e-4) << info.name;
    // A rounding error may move a maximum to its neighbour, and with few and small frames each counts for more;
    // tests/parity shows the gradients equal.
    const double limit = make_model(info.name, sized(info.name, {})).input.frames ? 0.2 : 5e-2;
    for (const auto& [name, gradient] : gpu.gradients)
      EXPECT_LT(distance(gradient, cpu.gradients.at(name)), limit) << info.name << " " << name;
  }
}

TEST_F(NetsOnGpu, stay_close_in_bf16) {
  for (const ModelInfo& info : models()) {
    const Outcome wide = step(info.name, Device::cuda(), DType::f32),
                  narrow = step(info.name, Device::cuda(), DType::bf16);
    EXPECT_LT(distance(narrow.scores, wide.scores), 3e-2) << info.name;
  }
}

TEST_F(NetsOnGpu, replay_as_a_graph_what_they_compute_eagerly) {
  const Use use(Device::cuda());
  for (const ModelInfo& info : models()) {
    Model model = make_model(info.name, sized(info.name, {.classes = 10, .auxiliary = false}));
    model.to(Device::cuda());
    const Tensor x = picture(model, 2).to(Device::cuda());
    Tensor kept({2, 10});
    Graph graph([&] {
      Pass pass;
      kept.copy_from(model.forward(x, pass));
    });
    graph.run();
    const std::vector<float> eager = kept.floats();
    graph.run();
    kept.fill(0);
    graph.run();
    EXPECT_TRUE(graph.captured()) << info.name << ": " << graph.why_eager();
    EXPECT_EQ(kept.floats(), eager) << info.name;
  }
}

}  // namespace
}  // namespace dactyl
