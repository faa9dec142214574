// The nets: their published sizes, their names, heads, auxiliary classifiers, and folding at inference.
#include <gtest/gtest.h>

#include <map>

#include "kernels/descriptor.h"
#include "kernels/ops.h"
#include "nets/nets.h"

namespace dactyl {
namespace {

Tensor noise(Shape shape) {
  Tensor x(shape);
  Sequence random(17);
  for (i64 i = 0; i < x.count(); ++i) x.data<float>()[i] = static_cast<float>(random.normal());
  return x;
}

struct Published {
  std::string name;
  i64 parameters, with_auxiliary, stored, macs;
};

// Every convolution and linear layer says its work as a line, and no other layer does.
void expect_lines(const ModelTable& table, const std::string& name) {
  for (const LayerRow& row : table.rows) {
    const bool has = row.kind == "conv" || row.kind == "linear";
    EXPECT_EQ(!row.line.empty(), has) << name << " " << row.name << " " << row.kind;
    const double products = row.line.empty() ? 0 : parse_descriptor(row.line).products();
    EXPECT_EQ(products, has ? static_cast<double>(row.macs) : 0) << name << " " << row.name << " " << row.line;
  }
}

// Sizes as published or counted from the releases' definitions.
TEST(models, have_the_published_sizes) {
  for (const Published& p : std::vector<Published>{
           {"alexnet", 60965224, 60965224, 60965224, 724406816},
           {"alexnet-torchvision", 61100840, 61100840, 61100840, 714188480},
           {"googlenet", 6998552, 13378280, 6998552, 1582671872},
           {"googlenet-bn", 6624904, 13004888, 6639464, 1498376192},
           {"mobilenet", 4231976, 4231976, 4253864, 568740352},
       }) {
    const Model model = make_model(p.name);
    const ModelTable table = tabulate(model);
    EXPECT_EQ(table.parameters, p.parameters) << p.name;
    EXPECT_EQ(table.parameters_with_auxiliary, p.with_auxiliary) << p.name;
    EXPECT_EQ(table.stored, p.stored) << p.name;
    EXPECT_EQ(table.macs, p.macs) << p.name;
    expect_lines(table, p.name);
  }
}

TEST(models, of_clips_say_their_layers_work_as_lines_too) {
  for (const char* name : {"i3d", "mobilenet-lstm"}) expect_lines(tabulate(make_model(name, {.frames = 20})), name);
}

TEST(models, show_every_intermediate_result) {
  const Model model = make_model("googlenet", {.auxiliary = false});
  std::map<std::string, Shape> shapes;
  Pass pass;
  pass.tap = [&](const std::string& name, const Tensor& y) { shapes[name] = y.shape(); };
  model.forward(noise({1, 224, 224, 3}), pass);
  EXPECT_EQ(shapes["pool1/3x3_s2"], (Shape{1, 56, 56, 64}));
  EXPECT_EQ(shapes["inception_4d"], (Shape{1, 14, 14, 528}));
  EXPECT_EQ(shapes["inception_5b/5x5"], (Shape{1, 7, 7, 128}));
  EXPECT_EQ(shapes[model.features], (Shape{1, 1024}));
  EXPECT_EQ(shapes["loss3/classifier"], (Shape{1, 1000}));
}

TEST(models, run_their_side_classifiers_in_training_only) {
  Model model = make_model("googlenet-bn", {.classes = 5, .height = 96, .width = 96});
  const Tensor x = noise({2, 96, 96, 3});
  Random random(1, Device::cpu());
  Pass training{.training = true, .random = &random};
  const Scores scores = model.net(x, training);
  ASSERT_EQ(scores.auxiliary.size(), 2u);
  EXPECT_EQ(scores.auxiliary[1].first.shape(), (Shape{2, 5}));
  EXPECT_EQ(scores.auxiliary[1].second, 0.3);
  Pass inference;
  EXPECT_TRUE(model.net(x, inference).auxiliary.empty());
}

TEST(models, know_their_head) {
  const Model model = make_model("googlenet", {.classes = 7});
  EXPECT_TRUE(model.in_head("loss3/classifier.weight"));
  EXPECT_TRUE(model.in_head("loss1/classifier.bias"));
  EXPECT_FALSE(model.in_head("loss1/fc.weight"));
  EXPECT_EQ(model.parameters->find("loss3/classifier.weight")->value.shape(), (Shape{7, 1024}));
}

TEST(models, the_head_alone_continues_from_the_features) {
  for (const char* name : {"alexnet-torchvision", "googlenet"}) {
    const Model model = make_model(name, {.classes = 6});
    Pass pass;
    Tensor features;
    pass.tap = [&](const std::string& layer, const Tensor& y) {
      if (layer == model.features) features = y;
    };
    const Tensor whole = model.forward(noise({1, 224, 224, 3}), pass);
    EXPECT_EQ(model.head(features, pass).floats(), whole.floats()) << name;
  }
}

TEST(models, folded_inference_equals_the_frozen_normalisation) {
  Model model = make_model("googlenet-bn", {.classes = 5, .height = 64, .width = 64, .auxiliary = false});
  for (Parameter& p : model.parameters->all())
    if (p.statistic) p.value.copy_from(Tensor::full(p.value.shape(), p.name.ends_with("var") ? 2.5 : 0.1));
  const Tensor x = noise({2, 64, 64, 3});
  Pass inference;
  const std::vector<float> folded = model.forward(x, inference).floats();
  Tape tape;  // recording: the normalisation is computed as such
  const std::vector<float> plain = model.forward(x, inference).floats();
  for (std::size_t i = 0; i < folded.size(); ++i) EXPECT_NEAR(folded[i], plain[i], 1e-4);
}

TEST(models, folded_weights_follow_the_statistics) {
  Model model = make_model("googlenet-bn", {.classes = 5, .height = 64, .width = 64, .auxiliary = false});
  const Tensor x = noise({1, 64, 64, 3});
  Pass inference;
  const std::vector<float> before = model.forward(x, inference).floats();
  model.parameters->find("conv1.bn.running_var")->value.fill(9);
  EXPECT_NE(model.forward(x, inference).floats(), before);
}

TEST(models, say_the_smallest_input_they_can_take) {
  for (const ModelInfo& info : models())
    for (const bool auxiliary : {false, true}) {
      const i64 least = auxiliary ? info.least_auxiliary : info.least;
      if (least == 0) continue;  // padded as TensorFlow does: any size
      const auto made = [&](i64 side) {
        return make_model(info.name, {.classes = 2, .height = side, .width = side, .auxiliary = auxiliary});
      };
      EXPECT_GT(tabulate(made(least)).macs, 0) << info.name;
      try {
        made(least - 1);
        ADD_FAILURE() << info.name << " with " << least - 1;
      } catch (const Error& error) {
        EXPECT_EQ(error.exit(), Exit::usage);
        const std::string side = std::to_string(least);
        EXPECT_TRUE(std::string(error.what()).ends_with(" is " + side + "x" + side)) << error.what();
      }
    }
}

TEST(models, unknown_names_are_a_usage_error) {
  try {
    make_model("resnet");
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.exit(), Exit::usage);
    EXPECT_NE(std::string(e.what()).find("dactyl models"), std::string::npos);
  }
}

}  // namespace
}  // namespace dactyl
