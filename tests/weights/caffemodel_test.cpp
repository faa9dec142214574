// Caffe's files of both layer versions, and every way they can be wrong.
#include "tests/weights/forge.h"

namespace dactyl {
namespace {

Checkpoint read(const std::string& content) {
  const Folder folder;
  return Checkpoint::read(put(folder / "w.caffemodel", content));
}

std::string refusal(const std::string& content) {
  const Folder folder;
  const std::string path = put(folder / "w.caffemodel", content);
  const std::string text = error_of([&] { Checkpoint::read(path); });
  EXPECT_TRUE(text.starts_with(path + ": caffemodel: ")) << text;
  return text;
}

// A blob of four numbers under a convolution without fuss.
std::string conv(const std::string& weight) {
  return net(v1_layer("c", 4, {weight, legacy(1, 1, 1, 1) + packed({0})}));
}

TEST(Caffemodel, ReadsVersionOneWithFourExtents) {
  const std::string layers =
      v1_layer("data", 5, {}) +
      v1_layer("conv1", 4, {legacy(2, 3, 1, 2) + packed(counting(12)), legacy(1, 1, 1, 2) + packed({5, 6})}) +
      v1_layer("fc", 14, {legacy(1, 1, 2, 3) + packed(counting(6)), legacy(1, 1, 1, 2) + packed({7, 8})}) +
      v1_layer("single", 14, {legacy(1, 1, 1, 3) + packed(counting(3)), legacy(1, 1, 1, 1) + packed({9})});
  const Checkpoint c = read(net(layers));
  EXPECT_EQ(c.format, "caffemodel");
  EXPECT_EQ(c.tensors.size(), 6u);
  EXPECT_EQ(c.tensors.at("conv1.weight").shape(), (Shape{2, 3, 1, 2}));
  EXPECT_EQ(c.tensors.at("conv1.weight").floats(), counting(12));
  EXPECT_EQ(c.tensors.at("conv1.bias").shape(), (Shape{2}));
  EXPECT_EQ(c.tensors.at("fc.weight").shape(), (Shape{2, 3}));
  EXPECT_EQ(c.tensors.at("fc.bias").floats(), (std::vector<float>{7, 8}));
  EXPECT_EQ(c.tensors.at("single.weight").shape(), (Shape{1, 3}));
}

TEST(Caffemodel, ReadsVersionTwoWithBlobShape) {
  std::string unpacked = text(7, number(1, 2) + number(1, 2));
  for (const float v : {1.0f, 2.0f, 3.0f, 4.0f}) unpacked += key(5, 5) + raw(v);
  const std::string doubles = blob_shape({2}) + text(8, raw(0.5) + raw(0.25));
  const std::string pieces =
      blob_shape({2, 1, 1, 2}) + packed({1, 2}) + text(5, "") + packed({3}) + key(5, 5) + raw(4.0f);
  const Checkpoint c = read(
      net(v2_layer("fc", "InnerProduct", {unpacked, doubles}) +
          v2_layer("conv", "Convolution", {pieces, blob_shape({2}) + packed({0, 0})}) +
          v2_layer("bn", "BatchNorm",
                   {blob_shape({1}) + packed({1}), blob_shape({1}) + packed({2}), blob_shape({1}) + packed({3})})));
  EXPECT_EQ(c.tensors.at("fc.weight").floats(), (std::vector<float>{1, 2, 3, 4}));
  EXPECT_EQ(c.tensors.at("fc.bias").dtype(), DType::f64);
  EXPECT_EQ(c.tensors.at("fc.bias").floats(), (std::vector<float>{0.5f, 0.25f}));
  EXPECT_EQ(c.tensors.at("conv.weight").floats(), (std::vector<float>{1, 2, 3, 4}));
  EXPECT_EQ(c.tensors.at("bn.blob2").item(), 3);
}

TEST(Caffemodel, AConvolutionMayDoWithoutBias) {
  const std::string weight = blob_shape({1, 1, 1, 1}) + packed({3});
  const std::string body = text(1, "c") + text(2, "Convolution") + text(7, weight) + text(106, number(2, 0));
  EXPECT_EQ(read(net(text(100, body))).tensors.size(), 1u);
  expect_part(refusal(net(v2_layer("c", "Convolution", {weight}))), "layer \"c\" has 1 blobs, 2 expected");
}

TEST(Caffemodel, RefusesBrokenWire) {
  expect_part(refusal("\x0a" + std::string(11, '\xff')), "a number has more than 64 bits at byte 1");
  expect_part(refusal(std::string("\x0a\x03Net\x12\x85", 7)), "a number is cut off at byte 6");
  expect_part(refusal(net("\x12\x50"
                          "abc")),
              "80 bytes announced, 3 left at byte 7");
  expect_part(refusal(net(key(2, 2) + varint(std::uint64_t{1} << 31) + "abc")), "2147483648 bytes announced, 3 left");
  expect_part(refusal(net(key(2, 2) + varint(~std::uint64_t{0}) + "abc")), "18446744073709551615 bytes announced");
  for (const std::uint64_t wire : {3, 4, 6, 7})
    expect_part(refusal(net(key(9, wire))), "wire type " + std::to_string(wire) + " of field 9 at byte 5");
  std::string groups;
  for (int i = 0; i < 100'000; ++i) groups += key(9, 3);
  expect_part(refusal(net(groups)), "wire type 3");
  expect_part(refusal(net(key(0, 0) + varint(1))), "field number 0");
  expect_part(refusal(net(number(2, 7))), "field 2 has wire type 0, 2 expected");
  expect_part(refusal(net("")), "no layer in it has weights");
}

TEST(Caffemodel, RefusesWrongBlobs) {
  expect_part(refusal(conv(legacy(1, 1, 2, 2) + text(5, "12345"))),
              "layer \"c\": 5 bytes of numbers, not a multiple of 4");
  expect_part(refusal(conv(blob_shape({1}) + text(8, "12345"))), "5 bytes of numbers, not a multiple of 8");
  expect_part(refusal(conv(legacy(1, 1, 2, 2) + packed({1, 2, 3}))), "a blob of shape (1, 1, 2, 2) has 3 numbers");
  expect_part(refusal(conv(legacy(1, 1, 2, ~std::uint64_t{0}) + packed({1}))), "extent -1 of a blob");
  expect_part(refusal(conv(blob_shape({1, 1, ~std::uint64_t{0}, 1}) + packed({1}))), "extent -1 of a blob");
  expect_part(refusal(conv(blob_shape({1 << 30, 1 << 30, 1 << 30, 4}) + packed({1}))), "shape overflows");
  expect_part(refusal(conv(blob_shape({1, 1, 1, 1, 1, 1, 1}) + packed({1}))), "more than 6 extents");
  expect_part(refusal(conv(blob_shape({1, 1, 4, 1}) + legacy(1, 1, 2, 2) + packed(counting(4)))),
              "two shapes disagree");
  expect_part(refusal(conv(legacy(1, 1, 1, 1) + packed({1}) + text(8, raw(1.0)))), "both data and double_data");
  expect_part(refusal(conv(legacy(1, 1, 1, 1))), "a blob of shape (1, 1, 1, 1) has 0 numbers");
  EXPECT_NO_THROW(read(conv(blob_shape({1, 1, 2, 2}) + legacy(1, 1, 2, 2) + packed(counting(4)))));
}

TEST(Caffemodel, RefusesWrongLayers) {
  const std::string one = legacy(1, 1, 1, 1) + packed({1});
  expect_part(refusal(net(text(2, text(1, "old")))), "Caffe's oldest format (V0)");
  expect_part(refusal(net(v1_layer("c", 4, {}))), "layer \"c\" has 0 blobs, 2 expected");
  expect_part(refusal(net(v1_layer("f", 14, {one}))), "layer \"f\" has 1 blobs, 2 expected");
  expect_part(refusal(net(v1_layer("f", 14, {one, one, one}))), "layer \"f\" has 3 blobs, 2 expected");
  expect_part(refusal(net(v1_layer("c", 4, {one, one}) + v1_layer("c", 4, {one, one}))), "layer \"c\" is there twice");
  expect_part(refusal(net(v1_layer("a\x1b[2J", 4, {one, one}))), "the layer's name \"a\\x1b[2J\" is not sound");
  expect_part(refusal(net(v1_layer("../../c", 4, {one, one}))), "is not sound");
  expect_part(refusal(net(v1_layer("x", 9, std::vector<std::string>(17, one)))), "more than 16 blobs");
}

TEST(Caffemodel, RefusesTruncationsInsideALayer) {
  const std::string whole = conv(legacy(1, 1, 4, 4) + packed(counting(16)));
  for (std::size_t n = 1; n < whole.size(); ++n) refusal(whole.substr(0, n));
  expect_part(refusal(whole + "\x12"), "a number is cut off");
}

TEST(Caffemodel, RefusesMoreThanTwoGibibytes) {
  const Folder folder;
  const std::string path = put(folder / "w.caffemodel", net(""));
  std::filesystem::resize_file(path, std::uint64_t{1} << 31);  // sparse
  expect_part(error_of([&] { Checkpoint::read(path); }), "2147483648 bytes, the format's limit is 2 GiB");
}

}  // namespace
}  // namespace dactyl
