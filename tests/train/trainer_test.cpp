// A run from its first step to its report, on a net of two layers.
#include <gtest/gtest.h>

#include <cmath>
#include <sstream>

#include "tests/train/eventful.h"
#include "tests/train/pictures.h"

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
  TrainOptions o = tiny::options(tiny::folder("learns"));
  o.metric = "f1";
  o.class_weights = "inverse";
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
  EXPECT_NE(tiny::content(o.out + "/log.txt").find(", macro F1 100.00 %, loss "), std::string::npos);
  EXPECT_NE(tiny::content(o.out + "/curves.gp").find("each_loss = 'training, weighted by class'"), std::string::npos);
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

TEST(trainer, says_why_a_sample_has_no_features) {
  const tiny::Colours data(30, true);
  const Model net = tiny::model();
  const LoaderOptions how{.batch = 4, .threads = 1, .input = net.input, .training = true, .bad_limit = 0, .bad_few = 0};
  const Features features = compute_features(net, data, how, 1, DType::f32, [](i64) {});
  const auto feed = feature_feed(net, data, features, how, DType::f32);
  feed->start(0, 0);
  const std::string text = error_text(Exit::data, [&] {
    while (feed->next()) {
    }
  });
  EXPECT_NE(text.find("picture5: torn"), std::string::npos) << text;
}

TEST(trainer, refuses_to_judge_by_no_sample) {
  const tiny::Colours data(30);
  const tiny::Eventful validation(12, [](i64) { fail(Exit::data, "torn", {}); });
  for (const int views : {0, -1}) {
    TrainOptions o = tiny::options(tiny::folder("unreadable"));
    o.cache_views = views;
    const std::string text = error_text(Exit::data, [&] { tiny::train(o, data, validation); });
    EXPECT_NE(text.find("not one of the 12 samples can be read, the first: picture0: torn"), text.npos) << text;
    EXPECT_FALSE(std::filesystem::exists(o.out + "/best.safetensors"));
    std::filesystem::remove_all(o.out);
  }
}

TEST(trainer, says_the_batch_that_small_data_gives) {
  TrainOptions o = tiny::options(tiny::folder("small"));
  o.batch = 100;
  tiny::train(o, tiny::Colours(30), tiny::Colours(12));
  EXPECT_NE(tiny::content(o.out + "/log.txt").find("2 steps of 30,"), std::string::npos);
  std::filesystem::remove_all(o.out);
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
