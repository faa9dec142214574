// The names and axis orders of I3D's and MobileNet's public files.
#include <cmath>

#include "tests/weights/forge.h"
#include "weights/load.h"

namespace dactyl {
namespace {

using Floats = std::vector<float>;

Tensor counted(const Shape& shape) { return Tensor::from(shape, counting(static_cast<std::size_t>(shape.count()))); }

// The first unit, the one with a quirk in its name, and the head of an I3D, with few numbers.
Parameters some_of_i3d() {
  Parameters store;
  for (const char* unit : {"Conv3d_1a_7x7", "Mixed_5b/Branch_2/Conv3d_0a_3x3"}) {
    const std::string name = unit;
    store.add(name + ".conv.weight", {2, 1, 1, 2, 3}, constant(0));
    store.add(name + ".bn.bias", {2}, constant(0));
    store.add_statistic(name + ".bn.running_mean", {2}, 0);
    store.add_statistic(name + ".bn.running_var", {2}, 1);
  }
  store.add("Logits/Conv3d_0c_1x1.weight", {3, 1, 1, 1, 2}, constant(0));
  store.add("Logits/Conv3d_0c_1x1.bias", {3}, constant(0));
  store.initialise(1);
  return store;
}

// A file with a port's names for these; weights in TensorFlow's order, or in PyTorch's.
Checkpoint port(const std::vector<std::string>& units, const std::vector<std::string>& leaves, const std::string& head,
                bool torch) {
  Checkpoint c;
  for (const std::string& unit : units) {
    c.tensors[unit + leaves[0]] = counted(torch ? Shape{2, 3, 1, 1, 2} : Shape{1, 1, 2, 3, 2});
    for (std::size_t i = 1; i < 4; ++i) c.tensors[unit + leaves[i]] = Tensor::full({2}, static_cast<double>(i));
  }
  c.tensors[head + leaves[0]] = counted(torch ? Shape{3, 2, 1, 1, 1} : Shape{1, 1, 1, 2, 3});
  c.tensors[head + leaves[4]] = counted({3});
  return c;
}

Floats values(const Parameters& store, const std::string& name) { return store.find(name)->value.floats(); }

void expect_poured(const Checkpoint& file, bool torch) {
  Parameters store = some_of_i3d();
  const LoadReport report = load(store, file, "i3d");
  EXPECT_EQ(report.matched.size(), 10u);
  EXPECT_TRUE(report.unexpected.empty());
  // TensorFlow's element (w, i, o) is 6 w + 2 i + o; PyTorch's (o, i, w) is 6 o + 2 i + w.
  const Floats tensorflow{0, 2, 4, 6, 8, 10, 1, 3, 5, 7, 9, 11}, pytorch{0, 2, 4, 1, 3, 5, 6, 8, 10, 7, 9, 11};
  for (const std::string unit : {"Conv3d_1a_7x7", "Mixed_5b/Branch_2/Conv3d_0a_3x3"}) {
    EXPECT_EQ(values(store, unit + ".conv.weight"), torch ? pytorch : tensorflow);
    EXPECT_EQ(values(store, unit + ".bn.bias"), (Floats{1, 1}));
    EXPECT_EQ(values(store, unit + ".bn.running_mean"), (Floats{2, 2}));
    EXPECT_EQ(values(store, unit + ".bn.running_var"), (Floats{3, 3}));
  }
  EXPECT_EQ(values(store, "Logits/Conv3d_0c_1x1.weight"),
            torch ? (Floats{0, 1, 2, 3, 4, 5}) : (Floats{0, 3, 1, 4, 2, 5}));
  EXPECT_EQ(values(store, "Logits/Conv3d_0c_1x1.bias"), (Floats{0, 1, 2}));
}

const std::vector<std::string> sonnet{"/conv_3d/w", "/batch_norm/beta", "/batch_norm/moving_mean",
                                      "/batch_norm/moving_variance", "/conv_3d/b"};

TEST(Names, I3dOfDeepMind) {
  for (const std::string prefix : {"RGB/inception_i3d/", "Flow/inception_i3d/", ""})
    expect_poured(port({prefix + "Conv3d_1a_7x7", prefix + "Mixed_5b/Branch_2/Conv3d_0a_3x3"}, sonnet,
                       prefix + "Logits/Conv3d_0c_1x1", false),
                  false);
}

TEST(Names, I3dOfKeras) {
  expect_poured(port({"Conv3d_1a_7x7", "Conv3d_5b_2b_3x3"},
                     {"_conv/kernel", "_bn/beta", "_bn/moving_mean", "_bn/moving_variance", "_conv/bias"},
                     "Conv3d_6a_1x1", false),
                false);
}

TEST(Names, I3dOfPyTorch) {
  expect_poured(
      port({"Conv3d_1a_7x7", "Mixed_5b.b2b"},
           {".conv3d.weight", ".bn.bias", ".bn.running_mean", ".bn.running_var", ".conv3d.bias"}, "logits", true),
      true);
}

// Kinetics-600's vectors are (1, 1, 1, 1, C).
TEST(Names, VectorsMayHaveOnesInFront) {
  Checkpoint c = port({"Conv3d_1a_7x7", "Mixed_5b/Branch_2/Conv3d_0a_3x3"}, sonnet, "Logits/Conv3d_0c_1x1", false);
  c.tensors["Conv3d_1a_7x7/batch_norm/beta"] = Tensor::full({1, 1, 1, 1, 2}, 1);
  expect_poured(c, false);
}

TEST(Names, AGammaOfI3dMustBeOne) {
  Checkpoint c =
      port({"Conv3d_1a_7x7", "Mixed_5b.b2b"},
           {".conv3d.weight", ".bn.bias", ".bn.running_mean", ".bn.running_var", ".conv3d.bias"}, "logits", true);
  c.tensors["Mixed_5b.b2b.bn.weight"] = Tensor::full({2}, 1);
  Parameters store = some_of_i3d();
  const LoadReport report = load(store, c, "i3d");
  EXPECT_TRUE(report.unexpected.empty());
  expect_part(report.text(), "1 in the file, absent from the net: Mixed_5b/Branch_2/Conv3d_0a_3x3.bn.weight");
  c.tensors["Mixed_5b.b2b.bn.weight"] = Tensor::full({2}, 1.5);
  expect_part(error_of([&] { load(store, c, "i3d"); }), "Mixed_5b.b2b.bn.weight");
}

TEST(Names, MobileNetOfKeras) {
  Parameters store;
  store.add("conv_dw_3.conv.weight", {2, 1, 2, 1}, constant(0));
  store.add("conv_dw_3.bn.weight", {2}, constant(0));
  store.add("conv_pw_3.conv.weight", {3, 1, 1, 2}, constant(0));
  store.add("conv_preds.weight", {3, 2}, constant(0));
  store.add("conv_preds.bias", {3}, constant(0));
  store.initialise(1);
  Checkpoint c;
  c.tensors["conv_dw_3/depthwise_kernel"] = counted({1, 2, 2, 1});
  c.tensors["conv_dw_3_bn/gamma"] = counted({2});
  c.tensors["conv_pw_3/kernel"] = counted({1, 1, 2, 3});
  c.tensors["conv_preds/kernel"] = counted({1, 1, 2, 3});
  c.tensors["conv_preds/bias"] = counted({3});
  EXPECT_EQ(load(store, c, "mobilenet-0.75").matched.size(), 5u);
  EXPECT_EQ(values(store, "conv_dw_3.conv.weight"), (Floats{0, 2, 1, 3}));
  EXPECT_EQ(values(store, "conv_pw_3.conv.weight"), (Floats{0, 3, 1, 4, 2, 5}));
  EXPECT_EQ(values(store, "conv_preds.weight"), (Floats{0, 3, 1, 4, 2, 5}));
  // Files without the scale: it is 1.
  c.tensors.erase("conv_dw_3_bn/gamma");
  c.tensors["conv_dw_3_bn/moving_mean"] = counted({2});
  load(store, c, "mobilenet");
  EXPECT_EQ(values(store, "conv_dw_3.bn.weight"), (Floats{1, 1}));
}

}  // namespace
}  // namespace dactyl
