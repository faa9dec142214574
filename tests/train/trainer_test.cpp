// A run from its first step to its report, on a net of two layers.
#include <gtest/gtest.h>

#include <cmath>
#include <sstream>

#include "tests/train/tiny.h"

namespace dactyl {
namespace {

std::vector<double> column(const std::string& path, int index) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  std::vector<double> values;
  while (std::getline(file, line)) {
    std::istringstream fields(line);
    std::string field;
    for (int i = 0; i <= index; ++i) std::getline(fields, field, ',');
    values.push_back(std::stod(field));
  }
  return values;
}

TEST(trainer, learns_and_leaves_the_run_folder) {
  const TrainOptions o = tiny::options(tiny::folder("learns"));
  const tiny::Colours data(30), validation(12);
  const TrainResult result = tiny::train(o, data, validation);
  EXPECT_EQ(result.exit, Exit::good);
  EXPECT_EQ(result.steps, 5 * 7);  // 30 samples: 7 batches of 4
  EXPECT_EQ(result.best.top1, 1.0);
  for (const char* name : {"train.csv", "val.csv", "class_weights.json", "best.safetensors", "last.state",
                           "last.safetensors", "log.txt", "curves.gp", "eval/metrics.json", "eval/per_class.csv",
                           "eval/confusion.csv", "eval/bad_samples.csv", "eval/predictions.csv"})
    EXPECT_TRUE(std::filesystem::exists(o.out + "/" + name)) << name;
  EXPECT_EQ(tiny::content(o.out + "/train.csv").rfind("step,loss,accuracy,rate,samples_per_s,wait,memory\n1,", 0), 0u);
  std::filesystem::remove_all(o.out);
}

TEST(trainer, a_head_learns_the_same_from_stored_features) {
  const tiny::Colours data(30, true), validation(12);
  TrainOptions o = tiny::options(tiny::folder("features"));
  o.stages = {parse_stage("head:3ep@0.05")};
  TrainOptions pictures = o;
  pictures.out = tiny::folder("pictures");
  pictures.cache_views = 0;
  tiny::train(o, data, validation);
  tiny::train(pictures, data, validation);
  const std::vector<double> a = column(o.out + "/train.csv", 1), b = column(pictures.out + "/train.csv", 1);
  ASSERT_EQ(a.size(), 21u);
  ASSERT_EQ(b.size(), 21u);
  for (std::size_t i = 0; i < a.size(); ++i) EXPECT_NEAR(a[i], b[i], 1e-5) << i;
  EXPECT_EQ(tiny::content(o.out + "/eval/bad_samples.csv"), tiny::content(pictures.out + "/eval/bad_samples.csv"));
  EXPECT_NE(tiny::content(o.out + "/eval/bad_samples.csv").find("picture5,"), std::string::npos);
  std::filesystem::remove_all(o.out);
  std::filesystem::remove_all(pictures.out);
}

TEST(trainer, names_the_operation_of_the_first_nan) {
  const tiny::Colours data(30), validation(12);
  TrainOptions o = tiny::options(tiny::folder("nan"));
  o.stages = {parse_stage("all:20it@1e30")};
  const std::string before = o.out;
  try {
    tiny::train(o, data, validation);
    FAIL() << "a rate of 1e30 was survived";
  } catch (const Error& e) {
    EXPECT_EQ(e.exit(), Exit::numerics);
    const std::string text = e.what();
    EXPECT_TRUE(text.find("conv") != text.npos || text.find("linear") != text.npos) << text;
  }
  const SavedState saved(o.out + "/last.state");
  Model net = tiny::model();
  saved.pour(*net.parameters);
  for (const Parameter& p : net.parameters->all())
    for (const float v : p.value.floats()) ASSERT_TRUE(std::isfinite(v)) << p.name;
  std::filesystem::remove_all(o.out);
}

TEST(trainer, freezes_and_unfreezes_by_layer) {
  const Model m = tiny::model();
  const auto learning = [&](const std::string& what, const std::string& freeze) {
    std::string names;
    for (const Parameter& p : m.parameters->all())
      if (learns(m, what, freeze)(p)) names += p.name + " ";
    return names;
  };
  EXPECT_EQ(learning("head", ""), "fc.weight fc.bias ");
  EXPECT_EQ(learning("all", ""), "conv.weight fc.weight fc.bias ");
  EXPECT_EQ(learning("all", "until=mean"), "fc.weight fc.bias ");
  EXPECT_EQ(learning("until=conv", ""), "conv.weight fc.weight fc.bias ");
  EXPECT_THROW(learns(m, "until=nothing", ""), Error);
}

}  // namespace
}  // namespace dactyl
