// An inflated GoogLeNet sees in a clip of one repeated picture what it saw in the picture.
#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "nets/nets.h"
#include "weights/weights.h"

namespace dactyl {
namespace {

using Shown = std::map<std::string, Tensor>;

// With statistics, shifts and scales of their own; some scales negative, one zero.
Model pictures(const std::string& name, i64 side) {
  Model model = make_model(name, {.classes = 5, .height = side, .width = side, .auxiliary = false, .dropout = 0});
  Sequence random(3);
  for (Parameter& p : model.parameters->all()) {
    if (p.value.shape().rank() != 1) continue;
    const bool variance = p.name.ends_with("running_var"), gamma = p.name.ends_with("bn.weight");
    for (i64 i = 0; i < p.value.count(); ++i)
      p.value.data<float>()[i] = static_cast<float>(variance ? random.uniform(0.5, 2)
                                                    : gamma  ? random.uniform(0.7, 1.4) * (i % 5 == 4 ? -1 : 1)
                                                             : 0.3 * random.normal());
    if (gamma) p.value.data<float>()[1] = 0;
    p.value.touch();
  }
  return model;
}

Tensor picture(i64 side) {
  Tensor x({1, side, side, 3});
  Sequence random(8);
  for (i64 i = 0; i < x.count(); ++i) x.data<float>()[i] = static_cast<float>(random.normal());
  return x;
}

Tensor repeated(const Tensor& x, i64 frames) {
  std::vector<float> one = x.floats(), all;
  for (i64 d = 0; d < frames; ++d) all.insert(all.end(), one.begin(), one.end());
  return Tensor::from({1, frames, x.shape()[1], x.shape()[2], x.shape()[3]}, all);
}

Shown shown(const Model& model, const Tensor& x) {
  Shown all;
  Pass pass;
  pass.tap = [&](const std::string& name, const Tensor& y) { all[name] = y.dense(); };
  model.forward(x, pass);
  return all;
}

// The frame in the middle of an end point, times what its channels were divided by.
std::vector<float> middle(const Tensor& y, const std::vector<float>& scale) {
  const i64 frame = y.count() / y.shape()[1];
  std::vector<float> all = y.floats(),
                     one(all.begin() + y.shape()[1] / 2 * frame, all.begin() + (y.shape()[1] / 2 + 1) * frame);
  for (std::size_t i = 0; i < one.size(); ++i) one[i] *= scale[i % scale.size()];
  return one;
}

double distance(const std::vector<float>& a, const std::vector<float>& b) {
  double difference = 0, size = 0;
  EXPECT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    difference += (double(a[i]) - b[i]) * (double(a[i]) - b[i]);
    size += double(b[i]) * b[i];
  }
  return std::sqrt(difference / size);
}

// |γ| of the units whose results are joined; 1 where a channel was made constant.
std::vector<float> scales(const Model& model, const std::vector<std::string>& units) {
  std::vector<float> all;
  for (const std::string& unit : units)
    for (const float g : model.parameters->find(unit + ".bn.weight")->value.floats())
      all.push_back(g == 0 ? 1 : std::abs(g));
  return all;
}

// 63 → 32 → 16 → 8 → 4 → 2: at this side TensorFlow's SAME padding is torchvision's padding, in every layer. In the
// middle of 136 frames all taps in time lie inside the clip, up to the last block.
TEST(Inflate, a_repeated_picture_gives_the_same_activations) {
  const Model flat = pictures("googlenet-bn", 63);
  Model deep = make_model("i3d", {.classes = 5, .height = 63, .width = 63, .frames = 136});
  inflate(*deep.parameters, *flat.parameters, "googlenet-bn");
  const Tensor x = picture(63);
  const Shown two = shown(flat, x), three = shown(deep, repeated(x, 136));
  const auto compare = [&](const char* there, const char* here, const std::vector<std::string>& units) {
    EXPECT_LT(distance(middle(three.at(there), scales(flat, units)), two.at(here).floats()), 1e-4) << there;
  };
  compare("Conv3d_1a_7x7", "conv1", {"conv1"});
  compare("Conv3d_2c_3x3", "conv3", {"conv3"});
  const std::vector<std::pair<const char*, std::string>> blocks{
      {"Mixed_3b", "inception3a"}, {"Mixed_3c", "inception3b"}, {"Mixed_4b", "inception4a"},
      {"Mixed_4f", "inception4e"}, {"Mixed_5b", "inception5a"}, {"Mixed_5c", "inception5b"}};
  for (const auto& [there, here] : blocks)
    compare(there, here.c_str(), {here + ".branch1", here + ".branch2.1", here + ".branch3.1", here + ".branch4.1"});
  // The head reads the divided channels with multiplied weights.
  const std::vector<float> scale =
      scales(flat, {"inception5b.branch1", "inception5b.branch2.1", "inception5b.branch3.1", "inception5b.branch4.1"});
  const std::vector<float> before = flat.parameters->find("fc.weight")->value.floats(),
                           after = deep.parameters->find("Logits/Conv3d_0c_1x1.weight")->value.floats();
  for (std::size_t i = 0; i < before.size(); ++i) ASSERT_FLOAT_EQ(after[i], before[i] * scale[i % scale.size()]);
}

TEST(Inflate, flow_gets_the_mean_over_colours) {
  const Model flat = pictures("googlenet-bn", 63);
  Model rgb = make_model("i3d", {.classes = 5}), flow = make_model("i3d", {.classes = 5, .channels = 2});
  inflate(*rgb.parameters, *flat.parameters, "googlenet-bn");
  inflate(*flow.parameters, *flat.parameters, "googlenet-bn");
  const std::vector<float> three = rgb.parameters->find("Conv3d_1a_7x7.conv.weight")->value.floats(),
                           two = flow.parameters->find("Conv3d_1a_7x7.conv.weight")->value.floats();
  for (std::size_t i = 0; i < two.size(); ++i) {
    const float* rgb_tap = three.data() + i / 2 * 3;
    ASSERT_NEAR(two[i], (rgb_tap[0] + rgb_tap[1] + rgb_tap[2]) / 2, 1e-6);
  }
  EXPECT_EQ(rgb.parameters->find("Mixed_5c/Branch_0/Conv3d_0a_1x1.conv.weight")->value.floats(),
            flow.parameters->find("Mixed_5c/Branch_0/Conv3d_0a_1x1.conv.weight")->value.floats());
}

// BVLC's sees bytes minus means, I3D's the same picture within [−1, 1]. Behind the first layer comes an LRN that I3D
// does not have.
TEST(Inflate, googlenet_of_caffe_sees_the_same_picture) {
  const Model flat = pictures("googlenet", 63);
  Model deep = make_model("i3d", {.classes = 5, .height = 63, .width = 63, .frames = 17});
  inflate(*deep.parameters, *flat.parameters, "googlenet");
  const float means[3] = {123, 117, 104};
  Tensor bytes({1, 63, 63, 3}), unit({1, 63, 63, 3});
  Sequence random(2);
  for (i64 i = 0; i < bytes.count(); ++i) {
    const auto byte = static_cast<float>(random.uniform(0, 255));
    bytes.data<float>()[i] = byte - means[i % 3];
    unit.data<float>()[i] = (byte - 127.5f) / 127.5f;
  }
  const Tensor two = shown(flat, bytes).at("conv1/7x7_s2"), three = shown(deep, repeated(unit, 17)).at("Conv3d_1a_7x7");
  const std::vector<float> want = two.floats(), got = middle(three, {1});
  double difference = 0, size = 0;
  for (i64 i = 0; i < two.count(); ++i) {  // beside the border, where the one pads with the mean, the other with grey
    const i64 w = i / 64 % 32, h = i / 64 / 32;
    if (w < 2 || w > 29 || h < 2 || h > 29) continue;
    difference += std::abs(want[static_cast<std::size_t>(i)] - got[static_cast<std::size_t>(i)]);
    size += std::abs(want[static_cast<std::size_t>(i)]);
  }
  EXPECT_LT(difference / size, 1e-4);
}

// A smooth map gets the same answer from the smaller kernel: the sums over its taps agree.
TEST(Inflate, five_taps_become_three) {
  const Model flat = pictures("googlenet", 64);
  Model deep = make_model("i3d", {.classes = 5});
  inflate(*deep.parameters, *flat.parameters, "googlenet");
  const auto sums = [](const Parameters& store, const std::string& name) {
    const Tensor& w = store.find(name)->value;
    std::vector<double> sum(static_cast<std::size_t>(w.shape()[0]));
    const std::vector<float> values = w.floats();
    for (std::size_t i = 0; i < values.size(); ++i) sum[i / (values.size() / sum.size())] += double(values[i]);
    return sum;
  };
  const auto five = sums(*flat.parameters, "inception_4d/5x5.weight"),
             three = sums(*deep.parameters, "Mixed_4e/Branch_2/Conv3d_0b_3x3.conv.weight");
  for (std::size_t o = 0; o < five.size(); ++o) EXPECT_NEAR(three[o], five[o], 1e-5);
}

TEST(Inflate, another_head_is_a_usage_error) {
  const Model flat = pictures("googlenet-bn", 63);
  Model deep = make_model("i3d", {.classes = 6});
  try {
    inflate(*deep.parameters, *flat.parameters, "googlenet-bn");
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.exit(), Exit::usage);
    EXPECT_NE(std::string(e.what()).find("5 classes into one of 6"), std::string::npos) << e.what();
  }
}

}  // namespace
}  // namespace dactyl
