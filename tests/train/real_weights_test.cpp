// Real weights on real pictures, where they are at hand: the folder DACTYL_DATA, or ../shared/data beside the project.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "train/train.h"

namespace dactyl {
namespace {

std::string real_file(const std::string& name) {
  const char* data = std::getenv("DACTYL_DATA");
  const std::filesystem::path folder =
      data ? std::filesystem::path(data) : std::filesystem::path(__FILE__).parent_path() / "../../../shared/data";
  return (folder / name).lexically_normal().string();
}

TEST(RealWeights, MobileNetOfKerasRecognisesFourOfFive) {
  const std::string weights = real_file("weights/mobilenet_v1_075_224.safetensors"),
                    pictures = real_file("imagenet-samples");
  if (!std::filesystem::exists(weights) || !std::filesystem::exists(pictures))
    GTEST_SKIP() << weights << " or " << pictures << " is not here";
  const LoadedModel loaded = open_model("mobilenet-0.75", weights);
  EXPECT_EQ(loaded.report.matched.size(), 137u);
  EXPECT_TRUE(loaded.report.unexpected.empty());
  std::vector<std::string> labels;
  for (int i = 0; i < 1000; ++i) labels.push_back(std::to_string(i));
  const auto predictions = evaluate(loaded.model, *open_source(pictures, labels), {.batch = 16});
  i64 hits = 0;
  for (const Prediction& p : predictions) hits += p.top[0] == p.label;
  EXPECT_GE(static_cast<double>(hits), 0.8 * static_cast<double>(predictions.size()));
  EXPECT_EQ(predictions.size(), 400u);
}

}  // namespace
}  // namespace dactyl
