// I3D against what DeepMind released: names, shapes, counts, end points, and what it asks of a clip.
#include <gtest/gtest.h>

#include <map>

#include "nets/nets.h"
#include "tests/nets/i3d_released.h"

namespace dactyl {
namespace {

ModelTable table_of(i64 frames, i64 channels = 3) {
  return tabulate(make_model("i3d", {.frames = frames, .channels = channels}));
}

Shape output_of(const ModelTable& table, const std::string& name) {
  for (const LayerRow& row : table.rows)
    if (row.name == name) return row.output;
  ADD_FAILURE() << "no end point " << name;
  return {};
}

Tensor noise(Shape shape) {
  Tensor x(shape);
  Sequence random(17);
  for (i64 i = 0; i < x.count(); ++i) x.data<float>()[i] = static_cast<float>(random.normal());
  return x;
}

TEST(I3d, has_the_names_and_shapes_of_the_release) {
  const Model model = make_model("i3d");
  std::size_t tensors = 0, units = 0;
  for (const ReleasedUnit& unit : released_i3d) {
    const Shape& w = unit.weight;
    const bool head = std::string(unit.name) == "Logits/Conv3d_0c_1x1";
    const std::vector<std::string> vectors =
        head ? std::vector<std::string>{".bias"}
             : std::vector<std::string>{".bn.bias", ".bn.running_mean", ".bn.running_var"};
    const Parameter* weight = model.parameters->find(unit.name + std::string(head ? ".weight" : ".conv.weight"));
    ASSERT_NE(weight, nullptr) << unit.name;
    EXPECT_EQ(weight->value.shape(), (Shape{w[4], w[0], w[1], w[2], w[3]})) << unit.name;
    for (const std::string& leaf : vectors) {
      const Parameter* p = model.parameters->find(unit.name + leaf);
      ASSERT_NE(p, nullptr) << unit.name << leaf;
      EXPECT_EQ(p->value.shape(), (Shape{w[4]})) << unit.name << leaf;
    }
    tensors += 1 + vectors.size();
    units += !head;
  }
  EXPECT_EQ(units, 57u);
  EXPECT_EQ(tensors, 230u);
  EXPECT_EQ(model.parameters->all().size(), tensors);  // and nothing else
}

TEST(I3d, has_the_published_sizes) {
  const ModelTable rgb = table_of(20), flow = table_of(20, 2);
  EXPECT_EQ(rgb.parameters, 12689984);
  EXPECT_EQ(rgb.stored, 12704544);
  EXPECT_EQ(flow.parameters, 12668032);
  EXPECT_EQ(flow.stored, 12682592);
}

// Frames; after the first convolution, the fourth and the fifth pool; averaged; MACs of RGB and flow.
TEST(I3d, takes_clips_of_any_length) {
  struct Row {
    i64 frames, first, fourth, fifth, averaged, rgb, flow;
  };
  for (const Row& row : std::vector<Row>{{9, 5, 3, 2, 1, 18120016896, 16743187456},
                                         {10, 5, 3, 2, 1, 18120016896, 16743187456},
                                         {16, 8, 4, 2, 1, 27787978752, 25585051648},
                                         {20, 10, 5, 3, 2, 34851764224, 32098105344},
                                         {25, 13, 7, 4, 3, 45908405248, 42328648704},
                                         {50, 25, 13, 7, 6, 87590987776, 80706840576},
                                         {64, 32, 16, 8, 7, 111153143808, 102341435392}}) {
    const ModelTable table = table_of(row.frames);
    EXPECT_EQ(output_of(table, "Conv3d_1a_7x7"), (Shape{1, row.first, 112, 112, 64})) << row.frames;
    EXPECT_EQ(output_of(table, "MaxPool3d_4a_3x3"), (Shape{1, row.fourth, 14, 14, 480})) << row.frames;
    EXPECT_EQ(output_of(table, "MaxPool3d_5a_2x2"), (Shape{1, row.fifth, 7, 7, 832})) << row.frames;
    EXPECT_EQ(output_of(table, "Logits/AvgPool3d_0a_7x7"), (Shape{1, row.averaged, 1, 1, 1024})) << row.frames;
    EXPECT_EQ(output_of(table, "Logits"), (Shape{1, 400}));
    EXPECT_EQ(table.macs, row.rgb) << row.frames;
    EXPECT_EQ(table_of(row.frames, 2).macs, row.flow) << row.frames;
  }
}

TEST(I3d, shows_its_end_points_in_order) {
  std::vector<std::string> seen;
  for (const LayerRow& row : table_of(20).rows)
    if (row.name.find("Branch") == std::string::npos && row.name.find("Logits/") == std::string::npos)
      seen.push_back(row.name);
  EXPECT_EQ(seen, (std::vector<std::string>{"Conv3d_1a_7x7", "MaxPool3d_2a_3x3", "Conv3d_2b_1x1", "Conv3d_2c_3x3",
                                            "MaxPool3d_3a_3x3", "Mixed_3b", "Mixed_3c", "MaxPool3d_4a_3x3", "Mixed_4b",
                                            "Mixed_4c", "Mixed_4d", "Mixed_4e", "Mixed_4f", "MaxPool3d_5a_2x2",
                                            "Mixed_5b", "Mixed_5c", "Logits"}));
}

// The table's shapes are those of a pass that computes.
TEST(I3d, computes_what_its_table_says) {
  const Model model = make_model("i3d", {.classes = 3, .height = 48, .width = 64, .frames = 11, .channels = 2});
  std::map<std::string, Shape> shapes;
  Pass pass;
  pass.tap = [&](const std::string& name, const Tensor& y) { shapes[name] = y.shape(); };
  model.forward(noise(model.input.shape(1)), pass);
  const ModelTable table = tabulate(model);
  EXPECT_EQ(table.rows.size(), shapes.size());
  for (const LayerRow& row : table.rows) EXPECT_EQ(row.output, shapes.at(row.name)) << row.name;
}

TEST(I3d, too_short_a_clip_is_a_usage_error) {
  const auto exit_of = [](const auto& action) {
    try {
      action();
    } catch (const Error& e) {
      EXPECT_NE(std::string(e.what()).find("8 frames; at least 9"), std::string::npos) << e.what();
      return e.exit();
    }
    return Exit::good;
  };
  EXPECT_EQ(exit_of([] { make_model("i3d", {.frames = 8}); }), Exit::usage);
  const Model model = make_model("i3d", {.height = 32, .width = 32});
  Pass pass;
  EXPECT_EQ(exit_of([&] { model.forward(noise({1, 8, 32, 32, 3}), pass); }), Exit::usage);
}

TEST(I3d, the_head_alone_continues_from_the_features) {
  const Model model = make_model("i3d", {.classes = 6, .height = 64, .width = 64, .frames = 20});
  Pass pass;
  Tensor features;
  pass.tap = [&](const std::string& layer, const Tensor& y) {
    if (layer == model.features) features = y;
  };
  const std::vector<float> whole = model.forward(noise({2, 20, 64, 64, 3}), pass).floats();
  EXPECT_EQ(features.shape(), (Shape{2, 2, 1, 1, 1024}));
  EXPECT_EQ(model.head(features, pass).floats(), whole);
  EXPECT_EQ(model.head(features.reshaped({2, 2048}), pass).floats(), whole);  // rows, as they are stored
}

// SAME padding follows the size of what comes in, so a net takes other lengths and sizes than it was made for.
TEST(I3d, made_for_one_length_takes_another) {
  const ModelOptions small{.classes = 4, .height = 64, .width = 64, .frames = 16};
  ModelOptions longer = small;
  longer.frames = 25;
  const Tensor x = noise({1, 25, 64, 64, 3});
  Pass pass;
  EXPECT_EQ(make_model("i3d", small).forward(x, pass).floats(), make_model("i3d", longer).forward(x, pass).floats());
}

TEST(I3d, learns_in_every_parameter) {
  Model model = make_model("i3d", {.classes = 4, .height = 64, .width = 64, .frames = 9, .channels = 2});
  Random random(1, Device::cpu());
  Pass pass{.training = true, .random = &random};
  Tape tape;
  const Tensor scores = model.forward(noise({2, 9, 64, 64, 2}), pass);
  tape.backward(record("sum", {scores}, Tensor::zeros({1}), [&](const Tensor&) { return Grads{noise({2, 4})}; }));
  for (const Parameter& p : model.parameters->all()) EXPECT_EQ(p.value.grad().defined(), !p.statistic) << p.name;
}

}  // namespace
}  // namespace dactyl
