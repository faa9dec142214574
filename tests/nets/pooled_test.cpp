// Convolutions whose max pool is taken with their normalisation in training, or whose relu is taken with the LRN behind
// them: what a tapped pass, which shows everything between them, computes apart.
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <set>

#include "nets/nets.h"
#include "nets/stack.h"
#include "tests/inputs.h"

namespace dactyl {
namespace {

using Numbers = std::map<std::string, std::vector<float>>;

Model small(const std::string& name) {
  ModelOptions options{.classes = 5, .height = 96, .width = 96, .auxiliary = false, .dropout = 0};
  if (name == "i3d") options.height = options.width = 64, options.frames = 9;
  return make_model(name, options);
}

Tensor noise(const Shape& shape) {
  Tensor x(shape, DType::f32, Device::cpu());
  Sequence random(31);
  for (i64 i = 0; i < x.count(); ++i) x.data<float>()[i] = static_cast<float>(random.normal());
  return x.to(Context::current().device());
}

// How often each operation was, one with relu also as "NAME relu".
std::map<std::string, int> counts(const OperationTrace& trace) {
  std::map<std::string, int> operations;
  for (const Operation& o : trace.operations()) {
    ++operations[o.name];
    if (o.what.find(" relu") != o.what.npos) ++operations[o.name + " relu"];
  }
  return operations;
}

// Scores, gradients and statistics of one step; its operations' counts. shown: the names a tap was shown.
Numbers step(const std::string& name, std::set<std::string>* shown, std::map<std::string, int>& operations) {
  Model model = small(name);
  model.to(Context::current().device());
  const Tensor x = noise(model.input.shape(3));
  Pass pass{.training = true};
  if (shown) pass.tap = [shown](const std::string& layer, const Tensor&) { shown->insert(layer); };
  Numbers all;
  Tape tape;
  OperationTrace trace;
  trace_begin();
  const Tensor scores = model.forward(x, pass);
  tape.backward(cross_entropy(scores, Tensor::from({3}, std::vector<std::int32_t>{1, 0, 4})));
  operations = counts(trace);
  all["scores"] = scores.floats();
  for (const Parameter& p : model.parameters->all()) all[p.name] = (p.statistic ? p.value : p.value.grad()).floats();
  return all;
}

double distance(const std::vector<float>& a, const std::vector<float>& b) {
  double difference = 0, size = 1e-30;
  for (std::size_t i = 0; i < a.size(); ++i) {
    difference += (double(a[i]) - b[i]) * (double(a[i]) - b[i]);
    size += double(b[i]) * b[i];
  }
  return std::sqrt(difference / size);
}

}  // namespace

TEST(Pooled, a_step_equals_the_tapped_one) {
  on_each_device([] {
    const bool gpu = Context::current().device().is_cuda();
    for (const std::string name : {"i3d", "googlenet-bn"}) {
      SCOPED_TRACE(name);
      std::set<std::string> shown;
      std::map<std::string, int> joined, apart;
      std::vector<Numbers> both;
      for (const bool tapped : {true, false})
        both.push_back(step(name, tapped ? &shown : nullptr, tapped ? apart : joined));
      for (const char* layer : {"Conv3d_2c_3x3", "MaxPool3d_3a_3x3"}) EXPECT_EQ(shown.contains(layer), name == "i3d");
      EXPECT_EQ(apart["batch_norm_max_pool"], 0);
      EXPECT_EQ(joined["batch_norm_max_pool"], gpu ? 4 : 0) << "two units, there and back";
      // The CPU computes both passes alike; on a GPU roundings differ, and one may move a maximum to its neighbour,
      // which the few numbers of the last layers feel.
      for (const auto& [what, numbers] : both[0])
        EXPECT_LE(distance(both[1].at(what), numbers), !gpu ? 0 : what == "scores" ? 1e-3 : 1e-1) << what;
    }
  });
}

TEST(Rectified, a_step_equals_the_tapped_one) {
  on_each_device([] {
    const bool gpu = Context::current().device().is_cuda();
    for (const std::string name : {"alexnet", "googlenet"}) {
      SCOPED_TRACE(name);
      std::set<std::string> shown;
      std::map<std::string, int> joined, apart;
      const Numbers want = step(name, &shown, apart), got = step(name, nullptr, joined);
      for (const char* layer : {"conv1", "norm1", "conv2"}) EXPECT_EQ(shown.contains(layer), name == "alexnet");
      EXPECT_EQ(joined["lrn"], 4) << "two layers, there and back";
      EXPECT_EQ(apart["lrn relu"], 0);
      EXPECT_EQ(joined["lrn relu"], name == "alexnet" ? 4 : 2) << "GoogLeNet's first is behind a pool";
      EXPECT_EQ(apart["conv relu"] - joined["conv relu"], joined["lrn relu"]);
      EXPECT_EQ(joined["relu"], 0);
      for (const auto& [what, numbers] : want)  // a GPU may convolve in another way without relu
        EXPECT_LE(distance(got.at(what), numbers), !gpu ? 0 : what == "scores" ? 1e-3 : 1e-1) << what;
    }
  });
}

TEST(Rectified, inference_equals_the_tapped_one) {
  on_each_device([] {
    Model model = small("alexnet");
    model.to(Context::current().device());
    const Tensor x = noise(model.input.shape(2));
    Pass pass, tapped;
    tapped.tap = [](const std::string&, const Tensor&) {};
    OperationTrace trace;
    trace_begin();
    const Tensor y = model.forward(x, pass);
    EXPECT_EQ(counts(trace)["lrn relu"], 2);
    const double far = distance(y.floats(), model.forward(x, tapped).floats());
    EXPECT_LE(far, x.device().is_cuda() ? 1e-3 : 0);
  });
}

// After the convolution's result its relu has been; before, it has not.
TEST(Rectified, a_stack_goes_on_from_between_the_two) {
  on_each_device([] {
    Parameters parameters;
    Stack stack({parameters, ""}, {1, 8, 8, 4}, {.weight = he()});
    stack.conv("first", 8, kernel(3, 1, 1));
    stack.lrn("norm");
    stack.conv("last", 8, kernel(1));
    stack.lrn("end");
    parameters.initialise(1);
    parameters.to(Context::current().device());
    const Tensor x = noise({2, 8, 8, 4});
    Tensor between;
    Pass pass{.training = true}, tapped{.training = true};
    tapped.tap = [&](const std::string& name, const Tensor& y) {
      if (name == "first") between = y;
    };
    const Tensor y = stack(x, tapped);
    const double limit = x.device().is_cuda() ? 1e-5 : 0;
    EXPECT_LE(distance(stack(x, pass).floats(), y.floats()), limit);
    OperationTrace trace;
    trace_begin();
    EXPECT_LE(distance(stack.run_from("first", between, pass).floats(), y.floats()), limit);
    EXPECT_EQ(counts(trace)["lrn relu"], 1) << "the second";
  });
}

TEST(Pooled, a_stack_goes_on_from_between_the_two) {
  on_each_device([] {
    Parameters parameters;
    Stack stack({parameters, ""}, {1, 8, 8, 4}, {.weight = he(), .norm = true});
    stack.conv("first", 8, kernel(3, 1, 1));
    stack.max_pool("pool", kernel(3, 2));
    stack.conv("last", 8, kernel(1));
    stack.max_pool("end", kernel(2, 2));
    parameters.initialise(1);
    parameters.to(Context::current().device());
    const Tensor between = noise({2, 8, 8, 8});
    Pass pass{.training = true}, tapped{.training = true};
    tapped.tap = [](const std::string&, const Tensor&) {};
    const Tensor y = stack.run_from("first", between, pass);
    EXPECT_EQ(y.shape(), (Shape{2, 2, 2, 8}));
    const double far = distance(y.floats(), stack.run_from("first", between, tapped).floats());
    EXPECT_LE(far, y.device().is_cuda() ? 1e-5 : 0) << "a GPU may add up the statistics in another order";
  });
}

}  // namespace dactyl
