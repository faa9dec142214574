// Everything the safetensors format forbids is refused, and the error says what and where.
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/weights/forge.h"

namespace dactyl {
namespace {

const std::string four_bytes = R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})";

std::string refusal(const std::string& content) {
  const Folder folder;
  const std::string path = put(folder / "w.safetensors", content);
  const std::string text = error_of([&] { Checkpoint::read(path); });
  EXPECT_TRUE(text.starts_with(path)) << text;
  EXPECT_EQ(text.find('\n'), std::string::npos) << text;
  return text;
}

std::string entry(const std::string& name, const std::string& dtype, const std::string& shape,
                  const std::string& range) {
  return "\"" + name + "\":{\"dtype\":\"" + dtype + "\",\"shape\":" + shape + ",\"data_offsets\":" + range + "}";
}

TEST(Safetensors, ReadsEveryTypeAndShape) {
  const std::string header = "{" + entry("f32", "F32", "[2]", "[0,8]") + "," + entry("f64", "F64", "[1,1]", "[8,16]") +
                             "," + entry("bf16", "BF16", "[1]", "[16,18]") + "," +
                             entry("f16", "F16", "[1]", "[18,20]") + "," + entry("i32", "I32", "[]", "[20,24]") + "," +
                             entry("u8", "U8", "[3]", "[24,27]") + "," + entry("empty", "F32", "[0,5]", "[27,27]") +
                             "," + entry("手/ü", "U8", "[1]", "[27,28]") + R"(,"__metadata__":{"who":"me"}})" + "   ";
  const std::string data = floats({1.5f, -2}) + raw(3.25) + raw(std::uint16_t{0x4040}) + raw(std::uint16_t{0x3c00}) +
                           raw(std::int32_t{-7}) + std::string("\x01\x02\x03\x04", 4);
  const Folder folder;
  const Checkpoint c = Checkpoint::read(put(folder / "w", safetensors(header, data)));
  EXPECT_EQ(c.format, "safetensors");
  EXPECT_EQ(c.tensors.size(), 8u);
  EXPECT_EQ(c.tensors.at("f32").floats(), (std::vector<float>{1.5f, -2}));
  EXPECT_EQ(c.tensors.at("f64").dtype(), DType::f64);
  EXPECT_EQ(c.tensors.at("f64").item(), 3.25);
  EXPECT_EQ(c.tensors.at("bf16").item(), 3);
  EXPECT_EQ(c.tensors.at("f16").item(), 1);
  EXPECT_EQ(c.tensors.at("i32").shape().rank(), 0);
  EXPECT_EQ(c.tensors.at("i32").item(), -7);
  EXPECT_EQ(c.tensors.at("u8").floats(), (std::vector<float>{1, 2, 3}));
  EXPECT_EQ(c.tensors.at("empty").shape(), (Shape{0, 5}));
  EXPECT_EQ(c.tensors.at("手/ü").item(), 4);
  EXPECT_EQ(c.notes, (std::map<std::string, std::string>{{"who", "me"}}));
}

TEST(Safetensors, LeavesCountersOutAndSaysSo) {
  const Folder folder;
  const std::string header = "{" + entry("bn.num_batches_tracked", "I64", "[]", "[0,8]") + "}";
  const Checkpoint c = Checkpoint::read(put(folder / "w", safetensors(header, raw(std::int64_t{9}))));
  EXPECT_TRUE(c.tensors.empty());
  expect_part(c.notes.at("dactyl.left_out"), "bn.num_batches_tracked");
}

TEST(Safetensors, NumbersNeedNoAlignment) {
  const Folder folder;  // the header's 53 bytes put the numbers at an odd place
  const Checkpoint c = Checkpoint::read(put(folder / "w", safetensors(four_bytes, floats({2.5f}))));
  EXPECT_EQ(c.tensors.at("a").item(), 2.5);
}

TEST(Safetensors, RefusesLengthsOfTheHeader) {
  expect_part(refusal("abc"), "3 bytes, the header's length alone takes 8");
  expect_part(refusal(raw(std::uint64_t{1000}) + "{}"), "header of 1000 bytes announced at byte 0, 2 are left");
  expect_part(refusal(raw(std::uint64_t{100'000'001}) + "{}"), "the limit is 100000000");
  expect_part(refusal(raw(~std::uint64_t{0}) + "{}"), "header of 18446744073709551615 bytes announced");
  expect_part(refusal(safetensors("")), "must begin with '{' at byte 8");
}

TEST(Safetensors, RefusesTextThatIsNotTheHeader) {
  const std::vector<std::pair<std::string, std::string>> cases{
      {"{\"a\xff\":1}", "not JSON at byte 11: "},
      {" {}", "must begin with '{' at byte 8"},
      {"[]", "must begin with '{' at byte 8"},
      {"{\"a\":", "not JSON at byte 13"},
      {"{} x", "not JSON at byte 11"},
      {std::string("{}\0{}", 5), "zero byte at byte 10"},
      {"{\"a\":" + std::string(100'000, '['), "an array in field \"a\""},
      {"{\"a\":{\"dtype\":" + std::string(100'000, '['), "an array in field \"dtype\""},
      {"{\"a\":{\"shape\":{}}}", "an object in field \"shape\" of tensor \"a\""},
      {"{\"a\":null}", "null in field \"a\""},
      {"{\"__metadata__\":null}", "null in field \"__metadata__\""},
      {"{\"__metadata__\":{\"k\":1}}", "the number 1 in field \"k\""},
      {"{\"__metadata__\":{\"k\":{}}}", "an object in field \"k\""},
      {"{\"__metadata__\":{\"k\":\"1\",\"k\":\"2\"}}", "metadata \"k\" is there twice"},
      {"{\"__metadata__\":{},\"__metadata__\":{}}", "\"__metadata__\" is there twice"},
      {"{\"a\":{\"dtype\":\"F32\",\"dtype\":\"F32\"}}", "tensor \"a\" has \"dtype\" twice"},
      {"{\"a\":{\"offsets\":[0,4]}}", "something unknown in field \"offsets\""},
      {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1]}}", "needs \"dtype\", \"shape\" and two \"data_offsets\""},
      {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0]}}", "needs \"dtype\""},
      {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4,8]}}", "the number 8 in field \"data_offsets\""},
      {"{\"a\":{\"dtype\":true}}", "a truth value in field \"dtype\""},
      {"{" + entry("a", "F32", "[-1]", "[0,4]") + "}", "the number -1 in field \"shape\""},
      {"{" + entry("a", "F32", "[1.0]", "[0,4]") + "}", "the number \"1.0\" in field \"shape\""},
      {"{" + entry("a", "F32", "[1e0]", "[0,4]") + "}", "the number \"1e0\""},
      {"{" + entry("a", "F32", "[99999999999999999999]", "[0,4]") + "}", "the number \"99999999999999999999\""},
      {"{" + entry("a", "F32", "[18446744073709551615]", "[0,4]") + "}", "the number 18446744073709551615"},
      {"{" + entry("a", "F32", "[\"1\"]", "[0,4]") + "}", "the text \"1\""}};
  for (const auto& [header, part] : cases) expect_part(refusal(safetensors(header, floats({1}))), part);
  const std::string twice = four_bytes.substr(0, four_bytes.size() - 1);
  expect_part(refusal(safetensors(twice + "," + four_bytes.substr(1), floats({1}))), "tensor \"a\" is there twice");
  expect_part(refusal(safetensors(twice + ",\"\\u0061\":{}}", floats({1}))), "tensor \"a\" is there twice");
}

TEST(Safetensors, RefusesRangesThatDoNotTile) {
  const auto two = [](const std::string& a, const std::string& b) {
    return "{" + entry("a", "U8", "[4]", a) + "," + entry("b", "U8", "[4]", b) + "}";
  };
  const std::string eight(8, 'x');
  expect_part(refusal(safetensors(two("[4,0]", "[4,8]"), eight)),
              "tensor \"a\" lies at data bytes 4 to 0, there are 8");
  expect_part(refusal(safetensors(two("[0,4]", "[8,12]"), eight)), "tensor \"b\" lies at data bytes 8 to 12");
  expect_part(refusal(safetensors(two("[0,4]", "[2,6]"), eight)),
              "tensor \"b\" begins at data byte 2, 4 expected (an overlap)");
  expect_part(refusal(safetensors(two("[0,4]", "[5,9]"), eight + "x")), "begins at data byte 5, 4 expected (a hole)");
  expect_part(refusal(safetensors(two("[1,5]", "[5,9]"), eight + "x")), "begins at data byte 1, 0 expected (a hole)");
  expect_part(refusal(safetensors(two("[0,4]", "[4,8]"), eight + "xyz")), "end at data byte 8, 3 more bytes follow");
  expect_part(refusal(safetensors("{}", "x")), "end at data byte 0, 1 more bytes follow");
  expect_part(refusal(safetensors(four_bytes, "123")), "lies at data bytes 0 to 4, there are 3");
}

TEST(Safetensors, RefusesShapesAndTypes) {
  const auto one = [](const std::string& dtype, const std::string& shape) {
    return refusal(safetensors("{" + entry("a", dtype, shape, "[0,4]") + "}", floats({1})));
  };
  expect_part(one("F32", "[4194305,4194305,211106198978564]"), "the size of its shape overflows");
  expect_part(one("F64", "[4611686018427387904]"), "the size of its shape overflows");
  expect_part(one("F32", "[2]"), "tensor \"a\" (2) of F32 needs 8 bytes, has 4");
  expect_part(one("F32", "[0]"), "needs 0 bytes, has 4");
  expect_part(one("F32", "[1,1,1,1,1,1,1]"), "rank 7, the limit is 6");
  expect_part(one("F4", "[8]"), "unknown dtype \"F4\"");
  expect_part(one("f32", "[1]"), "unknown dtype \"f32\"");
  expect_part(one("U32", "[1]"), "is U32; F32, F64, BF16, F16, I32 and U8 can be read");
}

TEST(Safetensors, RefusesUnsoundNames) {
  for (const std::string name : {R"(a\u0000b)", R"(a\nb)", R"(a\u001bb)", R"(../../x)", "", R"(a\u007f)"}) {
    expect_part(refusal(safetensors("{" + entry(name, "F32", "[1]", "[0,4]") + "}", floats({1}))), "is not sound");
  }
  const std::string text =
      refusal(safetensors("{" + entry(std::string(1 << 20, 'x'), "F32", "[1]", "[0,4]") + "}", floats({1})));
  expect_part(text, "is not sound");
  EXPECT_LT(text.size(), 600u);  // the name is cut
}

TEST(Safetensors, RefusesMoreTensorsThanItCanHold) {
  std::string header = "{\"a\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}";
  for (int i = 0; i < 200'000; ++i)
    header += ",\"" + std::to_string(i) + "\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}";
  expect_part(refusal(safetensors(header + "}")), "more than 100000 tensors");
}

TEST(Safetensors, RefusesMoreNotesThanItCanHold) {
  std::string notes;
  for (int i = 0; i < 200'000; ++i) notes += (i ? ",\"" : "\"") + std::to_string(i) + "\":\"\"";
  expect_part(refusal(safetensors("{\"__metadata__\":{" + notes + "}}")), "more than 101000 entries of metadata");
}

TEST(Safetensors, RefusesEveryTruncation) {
  const std::string whole = safetensors("{" + entry("a", "U8", "[200]", "[0,200]") + "}", std::string(200, 'x'));
  const Folder folder;
  for (std::size_t n = 0; n < whole.size(); ++n) {
    const std::string path = put(folder / "w.safetensors", whole.substr(0, n));
    EXPECT_THROW(Checkpoint::read(path), Error) << n;
  }
  EXPECT_NO_THROW(Checkpoint::read(put(folder / "w.safetensors", whole)));
}

TEST(Format, OtherContentIsNamed) {
  const std::vector<std::pair<std::string, std::string>> cases{
      {"", "is empty"},
      {"<!DOCTYPE html><html>", "a page of text (HTML?)"},
      {"version https://git-lfs.github.com/spec/v1\n", "a git-lfs pointer"},
      {"\x1f\x8b\x08", "a gzip archive"},
      {"PK\x03\x04", "a PyTorch or Keras archive (zip)"},
      {"\x80\x02\x8a\x0a", "a PyTorch pickle"},
      {std::string(257, 'x') + "ustar", "a tar archive"},
      {"\x89HDF\r\n\x1a\n", "an HDF5 file"}};
  for (const auto& [content, part] : cases)
    expect_part(refusal(content + std::string(content.empty() ? 0 : 9, 'z')), part);
  const Folder folder;
  const std::string path = put(folder / "w.bin", "zzzzzzzzzzzz");
  expect_part(error_of([&] { Checkpoint::read(path); }), "neither safetensors nor caffemodel");
}

TEST(Format, ThingsThatAreNoFilesAreNamed) {
  const Folder folder;
  const auto text = [&](const std::string& name) { return error_of([&] { Checkpoint::read(folder / name); }); };
  expect_part(text("absent"), "cannot be opened: No such file");
  std::filesystem::create_directory(folder / "dir");
  expect_part(text("dir"), "is a directory");
  ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0600), 0);
  expect_part(text("pipe"), "is a pipe");
  std::filesystem::create_symlink("loop", folder / "loop");
  expect_part(text("loop"), "cannot be opened: Too many levels");
  expect_part(error_of([] { Checkpoint::read("/dev/zero"); }), "is a device");
  const int s = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::snprintf(address.sun_path, sizeof address.sun_path, "%s", (folder / "socket").c_str());
  ASSERT_EQ(::bind(s, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  expect_part(text("socket"), "cannot be opened");
  ::close(s);
}

}  // namespace
}  // namespace dactyl
