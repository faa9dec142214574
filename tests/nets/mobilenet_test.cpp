// MobileNet at its widths, and the LSTM over its features.
#include <gtest/gtest.h>

#include "nets/nets.h"

namespace dactyl {
namespace {

Tensor noise(Shape shape) {
  Tensor x(shape);
  Sequence random(17);
  for (i64 i = 0; i < x.count(); ++i) x.data<float>()[i] = static_cast<float>(random.normal());
  return x;
}

LayerRow row_of(const ModelTable& table, const std::string& name) {
  for (const LayerRow& row : table.rows)
    if (row.name == name) return row;
  ADD_FAILURE() << "no layer " << name;
  return {};
}

TEST(MobileNet, has_the_published_layers) {
  const ModelTable table = tabulate(make_model("mobilenet"));
  EXPECT_EQ(row_of(table, "conv1").macs, 10838016);
  EXPECT_EQ(row_of(table, "conv_dw_2").macs, 1806336);
  EXPECT_EQ(row_of(table, "conv_dw_2").output, (Shape{1, 56, 56, 64}));
  EXPECT_EQ(row_of(table, "conv_pw_13").macs, 51380224);
  EXPECT_EQ(row_of(table, "conv_pw_13").output, (Shape{1, 7, 7, 1024}));
  EXPECT_EQ(row_of(table, "conv_preds").macs, 1024000);
}

TEST(MobileNet, comes_in_any_width) {
  EXPECT_EQ(tabulate(make_model("mobilenet-0.75")).stored, 2601976);  // as many as the released file holds
  EXPECT_EQ(row_of(tabulate(make_model("mobilenet-0.25")), "conv_pw_13").output, (Shape{1, 7, 7, 256}));
  EXPECT_EQ(model_info("mobilenet-0.75").name, "mobilenet-0.75");
  for (const char* name :
       {"mobilenet-0", "mobilenet-0.03", "mobilenet-nan", "mobilenet-9", "mobilenet-0.5x", "mobilenet-", "i3d-0.5"}) {
    try {
      make_model(name);
      ADD_FAILURE() << name;
    } catch (const Error& e) {
      EXPECT_EQ(e.exit(), Exit::usage) << name;
    }
  }
}

TEST(MobileNet, never_shows_more_than_six) {
  const Model model = make_model("mobilenet-0.25", {.classes = 3, .height = 64, .width = 64});
  Pass pass;
  float most = 0;
  pass.tap = [&](const std::string& name, const Tensor& y) {
    if (!name.starts_with("conv_") || name == "conv_preds") return;
    for (const float v : y.floats()) most = std::max(most, v);
  };
  Tensor x = noise({1, 64, 64, 3});
  for (i64 i = 0; i < x.count(); ++i) x.data<float>()[i] *= 50;
  model.forward(x, pass);
  EXPECT_EQ(most, 6);
}

TEST(MobileNetLstm, has_the_published_sizes) {
  const ModelTable table = tabulate(make_model("mobilenet-lstm", {.classes = 100, .frames = 20}));
  const LayerRow lstm = row_of(table, "lstm");
  EXPECT_EQ(lstm.parameters, 1311744);
  EXPECT_EQ(lstm.macs, 20 * 4 * 256 * (1024 + 256));
  EXPECT_EQ(table.macs, 11354327040 + lstm.macs + 256 * 100);
  EXPECT_EQ(row_of(table, "frames").output, (Shape{1, 20, 1024}));
}

TEST(MobileNetLstm, begins_by_remembering) {
  const Model model = make_model("mobilenet-0.25-lstm", {.classes = 3});
  const std::vector<float> bias = model.parameters->find("lstm.bias")->value.floats();
  for (std::size_t i = 0; i < bias.size(); ++i) EXPECT_EQ(bias[i], i / 256 == 1 ? 1 : 0);  // i, f, c, o
}

TEST(MobileNetLstm, the_head_alone_continues_from_the_features) {
  const Model model = make_model("mobilenet-0.25-lstm", {.classes = 4, .height = 64, .width = 64, .frames = 5});
  Pass pass;
  Tensor features;
  pass.tap = [&](const std::string& layer, const Tensor& y) {
    if (layer == model.features) features = y;
  };
  const std::vector<float> whole = model.forward(noise({2, 5, 64, 64, 3}), pass).floats();
  EXPECT_EQ(features.shape(), (Shape{2, 5, 256}));
  EXPECT_EQ(model.head(features.reshaped({2, 5 * 256}), pass).floats(), whole);
  EXPECT_TRUE(model.in_head("lstm.recurrent"));
  EXPECT_FALSE(model.in_head("conv_pw_13.conv.weight"));
}

TEST(MobileNetLstm, sees_the_order_of_frames) {
  const Model model = make_model("mobilenet-0.25-lstm", {.classes = 4, .height = 64, .width = 64, .frames = 3});
  const Tensor x = noise({1, 3, 64, 64, 3});
  Tensor backwards(x.shape());
  for (i64 d = 0; d < 3; ++d)
    view(backwards, d * 64 * 64 * 3, {64, 64, 3}).copy_from(view(x, (2 - d) * 64 * 64 * 3, {64, 64, 3}));
  Pass pass;
  EXPECT_NE(model.forward(x, pass).floats(), model.forward(backwards, pass).floats());
}

TEST(MobileNetLstm, learns_in_every_parameter) {
  Model model = make_model("mobilenet-0.25-lstm", {.classes = 4, .height = 64, .width = 64, .frames = 3});
  Random random(1, Device::cpu());
  Pass pass{.training = true, .random = &random};
  Tape tape;
  const Tensor scores = model.forward(noise({2, 3, 64, 64, 3}), pass);
  tape.backward(record("sum", {scores}, Tensor::zeros({1}), [&](const Tensor&) { return Grads{noise({2, 4})}; }));
  for (const Parameter& p : model.parameters->all()) EXPECT_EQ(p.value.grad().defined(), !p.statistic) << p.name;
}

}  // namespace
}  // namespace dactyl
