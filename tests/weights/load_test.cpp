// Pouring files into parameters: names, orders, what is missing, and that a failure changes nothing.
#include "weights/load.h"

#include <cmath>

#include "tests/weights/forge.h"
#include "weights/reorder.h"

namespace dactyl {
namespace {

using Floats = std::vector<float>;

Tensor counted(const Shape& shape, DType type = DType::f32) {
  return Tensor::from(shape, counting(static_cast<std::size_t>(shape.count())), type);
}

// A store with a few of GoogLeNet's parameters, all zero.
Parameters some_of_googlenet() {
  Parameters store;
  store.add("conv1/7x7_s2.weight", {1, 1, 2, 3}, constant(0));
  store.add("conv1/7x7_s2.bias", {1}, constant(0));
  store.add("loss1/fc.weight", {1, 512}, constant(0));
  store.add("loss3/classifier.weight", {2, 2}, constant(0));
  store.initialise(1);
  return store;
}

Checkpoint foreign() {
  Checkpoint c;
  c.path = "some.caffemodel";
  c.tensors["conv1/7x7_s2.weight"] = counted({1, 3, 1, 2});
  c.tensors["conv1/7x7_s2.bias"] = counted({1});
  c.tensors["loss1/fc.weight"] = counted({1, 512});
  c.tensors["loss3/classifier.weight"] = counted({2, 2});
  return c;
}

Floats values(const Parameters& store, const std::string& name) { return store.find(name)->value.floats(); }

TEST(Reorder, AConvolutionsChannelsGoLast) {
  // element (o, i, y, x) is 12 o + 4 i + 2 y + x
  const Tensor t = channels_last(counted({2, 3, 2, 2}));
  EXPECT_EQ(t.shape(), (Shape{2, 2, 2, 3}));
  EXPECT_EQ(t.floats(), (Floats{0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11, 12, 16, 20, 13, 17, 21, 14, 18, 22, 15, 19, 23}));
  EXPECT_EQ(channels_last(counted({1, 2, 1, 1, 2}, DType::bf16)).shape(), (Shape{1, 1, 1, 2, 2}));
}

TEST(Reorder, ColumnsOfTheFirstLinearLayer) {
  // columns c·6 + y·3 + x of (2, 2, 3) become (y·3 + x)·2 + c
  const Tensor t = channels_last_columns(counted({2, 12}), 2);
  EXPECT_EQ(t.shape(), (Shape{2, 12}));
  EXPECT_EQ(t.floats(), (Floats{0, 6, 1, 7, 2, 8, 3, 9, 4, 10, 5, 11, 12, 18, 13, 19, 14, 20, 15, 21, 16, 22, 17, 23}));
}

TEST(Reorder, RedAndBlue) {
  EXPECT_EQ(red_and_blue_swapped(counted({1, 1, 2, 3})).floats(), (Floats{2, 1, 0, 5, 4, 3}));
  error_of([] { red_and_blue_swapped(counted({1, 1, 1, 4})); }, Exit::failure);
  error_of([] { channels_last_columns(counted({2, 12}), 5); }, Exit::failure);
}

TEST(Load, BringsForeignOrdersIntoOurs) {
  Parameters store = some_of_googlenet();
  const LoadReport report = load(store, foreign(), "googlenet");
  EXPECT_EQ(report.matched.size(), 4u);
  // (1, 3, 1, 2) with channels B {0, 1}, G {2, 3}, R {4, 5} as (1, 1, 2, RGB)
  EXPECT_EQ(values(store, "conv1/7x7_s2.weight"), (Floats{4, 2, 0, 5, 3, 1}));
  EXPECT_EQ(values(store, "loss3/classifier.weight"), (Floats{0, 1, 2, 3}));
  const Floats fc = values(store, "loss1/fc.weight");  // 128 channels of 2 × 2
  for (std::size_t c = 0; c < 128; ++c)
    for (std::size_t i = 0; i < 4; ++i) ASSERT_EQ(fc[i * 128 + c], static_cast<float>(c * 4 + i));
  expect_part(report.text(), "4 tensors poured\n");
  expect_part(report.text(), "axes (O, I, k…) -> (O, k…, I): conv1/7x7_s2.weight\n");
  expect_part(report.text(), "channels BGR -> RGB: conv1/7x7_s2.weight\n");
  expect_part(report.text(), "columns (C, H, W) -> (H, W, C): loss1/fc.weight\n");
}

TEST(Load, AlexNetsSixthLayer) {
  Parameters store;
  store.add("fc6.weight", {2, 256 * 36}, constant(0));
  store.initialise(1);
  Checkpoint c;
  c.tensors["fc6.weight"] = counted({2, 256 * 36});
  load(store, c, "alexnet");
  const Floats fc6 = values(store, "fc6.weight");
  for (std::size_t o = 0; o < 2; ++o)
    for (std::size_t ch = 0; ch < 256; ++ch)
      for (std::size_t i = 0; i < 36; ++i)
        ASSERT_EQ(fc6[o * 9216 + i * 256 + ch], static_cast<float>(o * 9216 + ch * 36 + i));
}

TEST(Load, TorchvisionFilesAreInRgbAlready) {
  for (const auto& [model, conv, fc, channels] : std::vector<std::tuple<std::string, std::string, std::string, i64>>{
           {"alexnet-torchvision", "features.0.weight", "classifier.1.weight", 256},
           {"googlenet-bn", "conv1.conv.weight", "aux1.fc1.weight", 128}}) {
    Parameters store;
    store.add(conv, {1, 1, 2, 3}, constant(0));
    store.add(fc, {1, channels * 2}, constant(0));
    store.initialise(1);
    Checkpoint c;
    c.tensors[conv] = counted({1, 3, 1, 2});
    c.tensors[fc] = counted({1, channels * 2});
    EXPECT_EQ(load(store, c, model).reshaped.size(), 2u);
    EXPECT_EQ(values(store, conv), (Floats{0, 2, 4, 1, 3, 5}));
    EXPECT_EQ(values(store, fc)[1], static_cast<float>(2));
  }
}

TEST(Load, APassportDecidesTheChannelOrder) {
  Parameters store = some_of_googlenet();
  Checkpoint c = foreign();
  Passport passport;
  passport.model = "googlenet";
  c.notes = passport.to_notes();  // rgb
  load(store, c, "googlenet");
  EXPECT_EQ(values(store, "conv1/7x7_s2.weight"), (Floats{0, 2, 4, 1, 3, 5}));
  passport.model = "alexnet";
  c.notes = passport.to_notes();
  expect_part(error_of([&] { load(store, c, "googlenet"); }),
              "some.caffemodel: holds weights of \"alexnet\", not of googlenet");
}

TEST(Load, OurOwnFilesArePouredAsTheyAre) {
  const Folder folder;
  Parameters store = some_of_googlenet();
  load(store, foreign(), "googlenet");
  to_checkpoint(store, known_passport("googlenet")).write(folder / "c");
  Parameters other = some_of_googlenet();
  const LoadReport report = load(other, Checkpoint::read(folder / "c"), "googlenet");
  EXPECT_TRUE(report.reshaped.empty());
  EXPECT_TRUE(report.unexpected.empty());
  for (const Parameter& p : store.all()) EXPECT_EQ(values(other, p.name), p.value.floats());
}

TEST(Load, ErrorsListEverythingAndChangeNothing) {
  Parameters store = some_of_googlenet();
  store.add("a.weight", {1}, constant(7));
  store.add("b.weight", {1}, constant(7));
  Checkpoint c = foreign();
  c.tensors["loss3/classifier.weight"] = counted({5, 2});
  c.tensors["conv1/7x7_s2.weight"] = counted({1, 1, 2, 3});  // in our order, without a note that says so
  c.tensors["conv1/7x7_s2.bias"] = Tensor::full({1}, 3, DType::u8);
  const std::string text = error_of([&] { load(store, c, "googlenet"); });
  expect_part(text, "some.caffemodel: does not fit googlenet; 2 missing: a.weight, b.weight; 2 of another shape: ");
  expect_part(text, "conv1/7x7_s2.weight (file (1, 1, 2, 3), expected (1, 3, 1, 2))");
  expect_part(text, "loss3/classifier.weight (file (5, 2), expected (2, 2))");
  expect_part(text, "1 of a type that is no weight: conv1/7x7_s2.bias (u8)");
  EXPECT_EQ(values(store, "loss1/fc.weight"), Floats(512, 0));
}

TEST(Load, AFileOfAnotherNetIsRecognisable) {
  Parameters store = some_of_googlenet();
  Checkpoint c;
  c.path = "m";
  c.tensors["conv1/kernel"] = counted({1});
  expect_part(error_of([&] { load(store, c, "googlenet"); }), "the file holds: conv1/kernel");
  expect_part(error_of([&] { load(store, c, "resnet"); }, Exit::usage), "not into resnet");
}

TEST(Load, SkippedAndOptionalParametersKeepTheirValues) {
  Parameters store = some_of_googlenet();
  store.add("loss2/fc.weight", {1}, constant(3));
  store.initialise(1);
  Checkpoint c = foreign();
  c.tensors["loss3/classifier.weight"] = counted({1000, 2});
  c.tensors["extra"] = counted({1});
  const LoadReport report = load(store, c, "googlenet", {.skip = {"loss3/classifier"}, .optional = {"loss1", "loss2"}});
  EXPECT_EQ(report.skipped, (std::vector<std::string>{"loss3/classifier.weight"}));
  EXPECT_EQ(report.missing, (std::vector<std::string>{"loss2/fc.weight"}));
  EXPECT_EQ(report.unexpected, (std::vector<std::string>{"extra"}));
  EXPECT_EQ(values(store, "loss3/classifier.weight"), Floats(4, 0));
  EXPECT_EQ(values(store, "loss2/fc.weight"), Floats{3});
  expect_part(report.text(), "1 left as they are: loss3/classifier.weight\n");
  expect_part(report.text(), "1 not in the file, initial values kept: loss2/fc.weight\n");
  expect_part(report.text(), "1 in the file, not in the net: extra\n");
}

TEST(Load, AMissingGammaIsOne) {
  Parameters store;
  for (const char* name : {"conv1.bn.weight", "conv1.bn.bias"}) store.add(name, {2}, constant(5));
  store.add_statistic("conv1.bn.running_mean", {2}, 0);
  store.initialise(1);
  Checkpoint c;
  c.tensors["conv1.bn.bias"] = counted({2});
  c.tensors["conv1.bn.running_mean"] = counted({2});
  const LoadReport report = load(store, c, "googlenet-bn");
  EXPECT_EQ(values(store, "conv1.bn.weight"), (Floats{1, 1}));
  EXPECT_EQ(values(store, "conv1.bn.running_mean"), (Floats{0, 1}));
  expect_part(report.text(), "absent from the file: filled with 1: conv1.bn.weight");
  c.tensors.erase("conv1.bn.running_mean");
  expect_part(error_of([&] { load(store, c, "googlenet-bn"); }), "2 missing: conv1.bn.weight, conv1.bn.running_mean");
}

TEST(Load, CountsWhatIsNotFinite) {
  Parameters store = some_of_googlenet();
  Checkpoint c = foreign();
  c.tensors["loss3/classifier.weight"] = Tensor::from({2, 2}, Floats{1, NAN, INFINITY, 2});
  EXPECT_EQ(load(store, c, "googlenet").nonfinite, 2);
  expect_part(load(store, c, "googlenet").text(), "warning: 2 values are NaN or Inf");
  Parameters other = some_of_googlenet();
  expect_part(error_of([&] { load(other, c, "googlenet", {.strict = true}); }),
              "2 of its numbers are NaN or infinite: loss3/classifier.weight (2 of 4)");
  EXPECT_EQ(values(other, "loss1/fc.weight"), Floats(512, 0));
}

TEST(Load, WhatOverflowsTheParametersTypeIsNotFinite) {
  Parameters store = some_of_googlenet();
  Checkpoint c = foreign();
  c.tensors["loss3/classifier.weight"] = Tensor::full({2, 2}, 1e300, DType::f64);
  EXPECT_EQ(load(store, c, "googlenet").nonfinite, 4);
}

TEST(Load, AVarianceIsNotNegative) {
  Parameters store;
  store.add_statistic("conv1.bn.running_var", {2}, 1);
  store.initialise(1);
  Checkpoint c;
  c.tensors["conv1.bn.running_var"] = Tensor::from({2}, Floats{1, -1e-6f});
  expect_part(error_of([&] { load(store, c, "googlenet-bn"); }), "below 0, in conv1.bn.running_var (1 of 2)");
  EXPECT_EQ(values(store, "conv1.bn.running_var"), (Floats{1, 1}));
}

TEST(Load, OtherNumberTypesBecomeTheParameters) {
  Parameters store = some_of_googlenet();
  Checkpoint c = foreign();
  c.tensors["loss3/classifier.weight"] = counted({2, 2}, DType::bf16);
  c.tensors["conv1/7x7_s2.weight"] = counted({1, 3, 1, 2}, DType::f64);
  load(store, c, "googlenet");
  EXPECT_EQ(values(store, "loss3/classifier.weight"), (Floats{0, 1, 2, 3}));
  EXPECT_EQ(values(store, "conv1/7x7_s2.weight"), (Floats{4, 2, 0, 5, 3, 1}));
  store.to(DType::bf16);
  load(store, c, "googlenet");
  EXPECT_EQ(store.find("conv1/7x7_s2.weight")->value.dtype(), DType::bf16);
  EXPECT_EQ(values(store, "conv1/7x7_s2.weight"), (Floats{4, 2, 0, 5, 3, 1}));
}

}  // namespace
}  // namespace dactyl
