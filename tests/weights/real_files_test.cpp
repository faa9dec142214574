// Real weight files, where they are at hand: the folder DACTYL_DATA, or ../shared/data beside the project.
#include <cstdlib>

#include "tests/weights/forge.h"

namespace dactyl {
namespace {

std::string real_file(const std::string& name) {
  const char* data = std::getenv("DACTYL_DATA");
  const std::filesystem::path folder =
      data ? std::filesystem::path(data) : std::filesystem::path(__FILE__).parent_path() / "../../../shared/data";
  return (folder / "weights" / name).lexically_normal().string();
}

TEST(RealFiles, GoogLeNetOfCaffe) {
  const std::string path = real_file("bvlc_googlenet.caffemodel");
  if (!std::filesystem::exists(path)) GTEST_SKIP() << path << " is not here";
  const Checkpoint c = Checkpoint::read(path);
  EXPECT_EQ(c.tensors.size(), 116u);  // 57 convolutions and a classifier
  i64 values = 0;
  for (const auto& [name, t] : c.tensors) values += t.count();
  EXPECT_EQ(values, 6'998'552);
  EXPECT_EQ(c.tensors.at("conv1/7x7_s2.weight").shape(), (Shape{64, 3, 7, 7}));
  EXPECT_EQ(c.tensors.at("inception_5b/5x5.weight").shape(), (Shape{128, 48, 5, 5}));
  EXPECT_EQ(c.tensors.at("loss3/classifier.weight").shape(), (Shape{1000, 1024}));
  EXPECT_EQ(c.tensors.at("loss3/classifier.bias").shape(), (Shape{1000}));
  const Folder folder;
  c.write(folder / "c");
  EXPECT_EQ(Checkpoint::read(folder / "c").tensors.at("conv1/7x7_s2.weight").floats(),
            c.tensors.at("conv1/7x7_s2.weight").floats());
}

TEST(RealFiles, MobileNetInSafetensors) {
  const std::string path = real_file("mobilenet_v1_075_224.safetensors");
  if (!std::filesystem::exists(path)) GTEST_SKIP() << path << " is not here";
  const Checkpoint c = Checkpoint::read(path);
  EXPECT_EQ(c.tensors.size(), 137u);
  i64 values = 0;
  for (const auto& [name, t] : c.tensors) values += t.count();
  EXPECT_EQ(values, 2'601'976);
  EXPECT_EQ(c.tensors.at("conv1/kernel").shape(), (Shape{3, 3, 3, 24}));
  expect_part(c.notes.at("source"), "MobileNet v1 0.75 224");
}

// More numbers than 31 bits count, in a sparse file.
TEST(RealFiles, MoreThanTwoToTheThirtyOneValues) {
  if (!std::getenv("DACTYL_LARGE")) GTEST_SKIP() << "takes 2 GiB of memory: set DACTYL_LARGE=1";
  const Folder folder;
  const std::string header = R"({"a":{"dtype":"U8","shape":[2147483649],"data_offsets":[0,2147483649]}})";
  const std::string path = put(folder / "w", safetensors(header));
  std::filesystem::resize_file(path, 8 + header.size() + 2147483649u);
  EXPECT_EQ(Checkpoint::read(path).tensors.at("a").count(), 2147483649);
}

}  // namespace
}  // namespace dactyl
