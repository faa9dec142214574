// What is timed is what it says: passes of layers, whole steps, operations and their sizes.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <numeric>

#include "benchmarks/bench.h"
#include "kernels/plans.h"

namespace dactyl {
namespace {

constexpr TimingOptions brief{.seconds = 0};  // one repetition

std::vector<Device> devices() {
  std::vector<Device> all{Device::cpu()};
  if (gpu_count() > 0) all.push_back(Device::cuda());
  return all;
}

TEST(WaysTried, are_heard_while_somebody_listens) {
  const char* before = std::getenv("DACTYL_CACHE");
  const std::string cache = before ? before : "";
  timed("a", "way 1", 1);
  {
    const WaysTried deaf(false);
    timed("a", "way 2", 2);
    EXPECT_TRUE(deaf.ways().empty());
    const WaysTried tried(true);
    EXPECT_EQ(plan_folder(), "") << "what a file knows is searched all the same";
    timed("a", "way 3", 3);
    timed("b", "way 4", 4);
    ASSERT_EQ(tried.ways().size(), 2u);
    EXPECT_EQ(tried.ways()[0].way, "way 3");
    EXPECT_EQ(tried.ways()[1].problem, "b");
    EXPECT_EQ(tried.ways()[1].seconds, 4);
  }
  timed("a", "way 5", 5);
  cache.empty() ? unsetenv("DACTYL_CACHE") : setenv("DACTYL_CACHE", cache.c_str(), 1);
}

TEST(WaysTaken, knows_the_last_way_of_each_pass_while_it_lives) {
  settled("forward of x", true, "stem", 0);
  {
    const WaysTaken taken;
    EXPECT_EQ(taken.of(LayerPass::forward), "") << "before its time";
    settled("forward of x", true, "engine 1", 0);
    settled("data gradient of x", false, "none", 0);
    settled("forward of y", false, "engine 2", 0);
    EXPECT_EQ(taken.of(LayerPass::forward), "engine 2");
    EXPECT_EQ(taken.of(LayerPass::data), "none");
    EXPECT_EQ(taken.of(LayerPass::weights), "");
  }
  settled("weight gradient of x", true, "stem", 0);
}

TEST(WaysTaken, names_the_way_of_a_layer_on_a_gpu) {
  if (gpu_count() == 0) GTEST_SKIP() << "no GPU here";
  const Use use(Device::cuda());
  const Descriptor d = parse_descriptor("conv2d x=3x13x11x24 k=3 p=1 out=40 bf16");  // no other test's
  for (const LayerPass pass : {LayerPass::forward, LayerPass::data, LayerPass::weights}) {
    const WaysTaken taken;
    time_layer(d, pass, Algorithm::automatic, brief);
    EXPECT_NE(taken.of(pass), "") << to_text(pass);
  }
}

TEST(LayerWork, every_kind_and_pass_runs_and_takes_time) {
  for (const Device device : devices()) {
    const Use use(device);
    for (const std::string line :
         {"conv2d x=2x12x12x8 k=3 p=1 out=16 bias relu", "conv3d x=1x4x8x8x8 k=3 p=same out=8 into=16",
          "max_pool2d x=2x12x12x8 k=3 s=2 ceil", "mean_pool2d x=2x12x12x8 k=2 s=2", "batch_norm x=4x6x6x8 relu",
          "batch_norm_max_pool2d x=2x12x12x8 k=3 s=2 ceil relu into=16", "lrn x=2x6x6x8",
          "linear x=4x32 out=16 bias relu"}) {
      const Descriptor d = parse_descriptor(line);
      for (const LayerPass pass : {LayerPass::forward, LayerPass::data, LayerPass::weights, LayerPass::both}) {
        if (pass == LayerPass::weights && !d.learns()) {
          EXPECT_THROW(LayerWork(d, pass, Algorithm::automatic), Error);
          continue;
        }
        const std::vector<double> ms = time_layer(d, pass, Algorithm::automatic, brief);
        ASSERT_GE(ms.size(), 1u) << line;
        for (const double t : ms) EXPECT_GT(t, 0) << line << " " << to_text(pass);
        EXPECT_GT(layer_bytes(d, pass), 0) << line;
      }
    }
  }
}

TEST(LayerWork, automatic_agrees_with_the_reference) {
  for (const Device device : devices()) {
    const Use use(device);
    for (const std::string line : {"conv2d x=2x12x12x8 k=3 s=2 p=same out=16 bias relu", "batch_norm x=4x6x6x8 relu",
                                   "batch_norm x=4x6x6x8 frozen into=16", "lrn x=2x6x6x16", "lrn x=2x6x6x16 relu",
                                   "max_pool2d x=2x9x9x8 k=3", "batch_norm_max_pool2d x=2x12x12x8 k=3 s=2 ceil relu"}) {
      const Descriptor d = parse_descriptor(line);
      for (const LayerPass pass : {LayerPass::forward, LayerPass::data, LayerPass::weights}) {
        if (pass == LayerPass::weights && !d.learns()) continue;
        EXPECT_LT(layer_error(d, pass, Algorithm::automatic), 1e-5) << line << " " << to_text(pass);
      }
    }
  }
}

TEST(LayerWork, a_library_is_only_asked_for_what_it_computes) {
  const Use use(Device::cpu());
  for (const std::string line : {"batch_norm x=4x6x6x8", "lrn x=2x6x6x8", "max_pool2d x=2x9x9x8 k=3"}) try {
      LayerWork(parse_descriptor(line), LayerPass::forward, Algorithm::library);
      ADD_FAILURE() << line;
    } catch (const Error& error) {
      EXPECT_EQ(error.exit(), Exit::usage) << line;
    }
}

TEST(LayerWork, sizes_are_counted) {
  const Descriptor d = parse_descriptor("conv2d x=2x10x10x4 k=3 p=1 out=8 bf16");
  EXPECT_EQ(layer_flops(d, LayerPass::forward), 2.0 * 2 * 100 * 8 * 36);
  EXPECT_EQ(layer_flops(d, LayerPass::both), 3 * layer_flops(d, LayerPass::data));
  EXPECT_EQ(layer_bytes(d, LayerPass::forward), 2.0 * (800 + 288 + 1600));
  EXPECT_EQ(layer_bytes(parse_descriptor("batch_norm x=4x8"), LayerPass::forward), 4.0 * 3 * 32);
  const Descriptor pool = parse_descriptor("max_pool2d x=1x4x4x8 k=2 s=2");
  EXPECT_EQ(layer_bytes(pool, LayerPass::forward), 4.0 * (128 + 32));
  EXPECT_EQ(layer_bytes(pool, LayerPass::forward, true), 4.0 * (128 + 32) + 32);
  const Descriptor both = parse_descriptor("batch_norm_max_pool2d x=1x4x4x8 k=2 s=2");
  EXPECT_EQ(layer_bytes(both, LayerPass::forward), 4.0 * (2 * 128 + 32));
  EXPECT_EQ(layer_bytes(both, LayerPass::forward, true), 4.0 * (2 * 128 + 2 * 32) + 32);
  EXPECT_EQ(layer_bytes(both, LayerPass::data), 4.0 * (2 * 128 + 3 * 32) + 32);
}

TEST(ModelWork, inference_and_training_run_and_training_learns) {
  for (const Device device : devices()) {
    const Use use(device);
    ModelWorkOptions options{.model = "alexnet-torchvision",
                             .net = {.classes = 4, .height = 63, .width = 63, .auxiliary = false},
                             .batch = 2};
    ModelWork inference(options);
    const Measured m = measure([&] { inference(); }, brief);
    EXPECT_GE(m.ms.size(), 1u);
    EXPECT_GT(m.first_ms, 0);
    EXPECT_EQ(m.captured, device.is_cuda()) << m.why_eager;
    EXPECT_EQ(inference.scores().shape(), (Shape{2, 4}));
    options.train = true;
    ModelWork training(options);
    const Parameter& weight = training.model().parameters->all().front();
    const std::vector<float> before = weight.value.floats();
    measure([&] { training(); }, brief);
    EXPECT_NE(weight.value.floats(), before);
    EXPECT_GT(training.flops(), 2.5 * inference.flops());
    EXPECT_LT(training.flops(), 3 * inference.flops());
    EXPECT_LT(error_against_fp32(options), 1e-4);
  }
}

TEST(ModelWork, a_traced_step_names_every_operation) {
  for (const Device device : devices()) {
    const Use use(device);
    ModelWork work({.model = "alexnet-torchvision",
                    .net = {.classes = 4, .height = 63, .width = 63, .auxiliary = false},
                    .batch = 1,
                    .train = true});
    i64 convs = 0, back = 0, updates = 0, lines = 0;
    for (const OperationTimes& row : measure_operations([&] { work(); }, brief)) {
      EXPECT_EQ(row.ms.size(), 1u);
      convs += row.operation.name == "conv" && !row.operation.backward;
      back += row.operation.name == "conv" && row.operation.backward;
      updates += row.operation.name == "update";
      if (row.operation.what.empty()) continue;
      EXPECT_EQ(to_text(parse_descriptor(row.operation.what)), row.operation.what);
      ++lines;
    }
    EXPECT_EQ(convs, 5);
    EXPECT_EQ(back, 5);
    EXPECT_EQ(updates, 1);
    EXPECT_EQ(lines, 2 * (5 + 3 + 3));  // convolutions, pools, linear layers; there and back
  }
}

TEST(OperationCases, every_operation_runs) {
  for (const Device device : devices()) {
    const Use use(device);
    for (const std::string& name : operation_names()) {
      if (name == "sgd" || name == "adam") continue;  // hundreds of megabytes; the smallest below
      const OperationCase c = operation_cases(name, 1, DType::f32, Math::fp32).back()();
      EXPECT_GT(c.forward_bytes, 0) << name;
      for (const auto& work : {c.forward, c.both}) {
        if (!work) continue;
        const std::vector<double> ms = work_ms(measure_operations(work, {.seconds = 0, .least = 1}), false);
        EXPECT_GT(ms.at(0), 0) << name;
      }
    }
    const OperationCase sgd = operation_cases("sgd", 1, DType::f32, Math::fp32).back()();
    EXPECT_EQ(sgd.forward_bytes, 20.0 * 6'998'552);
    EXPECT_GT(work_ms(measure_operations(sgd.forward, {.seconds = 0, .least = 1}), false).at(0), 0);
  }
  EXPECT_THROW(operation_cases("tanh", 1, DType::f32, Math::fp32), Error);
}

TEST(Roofs, bound_is_the_slower_of_both) {
  const Roofs roofs{100, 1000};
  EXPECT_DOUBLE_EQ(roofs.bound(2000, 100), 2);
  EXPECT_DOUBLE_EQ(roofs.bound(1000, 300), 3);
}

TEST(RandomNumbers, a_long_tensor_repeats_its_block_and_stays_in_range) {
  const Tensor x = random_numbers({3, 1 << 19}, DType::f32, 1);
  const float* v = x.data<float>();
  EXPECT_EQ(v[0], v[1 << 20]);
  EXPECT_NE(v[0], v[1]);
  const Tensor labels = random_numbers({1000}, DType::i32, 1, 7);
  for (const Device device : devices()) {
    const Use use(device);
    const std::vector<float> narrow = random_numbers({3, 1 << 19}, DType::bf16, 1).floats();
    for (const i64 i : {0, 77, 1 << 20, (3 << 19) - 1}) EXPECT_NEAR(narrow[static_cast<std::size_t>(i)], v[i], 4e-3);
  }
  for (i64 i = 0; i < 1000; ++i) EXPECT_TRUE(labels.data<std::int32_t>()[i] >= 0 && labels.data<std::int32_t>()[i] < 7);
}

}  // namespace
}  // namespace dactyl
