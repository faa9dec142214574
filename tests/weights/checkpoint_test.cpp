// Our own files: what is written comes back, and damage is noticed.
#include <nlohmann/json.hpp>
#include <random>

#include "tests/weights/forge.h"
#include "tests/weights/sample.h"
#include "weights/crc32c.h"

namespace dactyl {
namespace {

using Floats = std::vector<float>;

TEST(Crc32c, KnownValues) {
  EXPECT_EQ(crc32c("123456789", 9), 0xE3069283u);
  EXPECT_EQ(crc32c_by_table("123456789", 9), 0xE3069283u);
  EXPECT_EQ(crc32c(std::string(32, '\0').data(), 32), 0x8A9136AAu);
  EXPECT_EQ(crc32c("", 0), 0u);
  EXPECT_EQ(hex8(0x00ab12cd), "00ab12cd");
}

TEST(Crc32c, InstructionAndTableAgree) {
  std::mt19937 random(1);
  std::string text(1000, 0);
  for (char& c : text) c = static_cast<char>(random());
  for (std::size_t n = 0; n < 200; ++n) {
    const std::size_t at = random() % 300;
    EXPECT_EQ(crc32c(text.data() + at, n), crc32c_by_table(text.data() + at, n));
    EXPECT_EQ(crc32c(text.data() + n, at, crc32c(text.data(), n)), crc32c(text.data(), n + at));
  }
}

TEST(Checkpoint, ComesBackAsItWas) {
  const Folder folder;
  const Checkpoint before = sample();
  before.write(folder / "c.safetensors");
  const Checkpoint after = Checkpoint::read(folder / "c.safetensors");
  EXPECT_EQ(after.notes, before.notes);
  ASSERT_EQ(after.tensors.size(), before.tensors.size());
  for (const auto& [name, t] : before.tensors) {
    const Tensor& u = after.tensors.at(name);
    EXPECT_EQ(u.shape(), t.shape());
    ASSERT_EQ(u.dtype(), t.dtype());
    EXPECT_EQ(std::memcmp(u.raw(), t.raw(), static_cast<std::size_t>(t.bytes())), 0) << name;
  }
  after.write(folder / "d.safetensors");
  EXPECT_EQ(content_of(folder / "c.safetensors"), content_of(folder / "d.safetensors"));
  EXPECT_FALSE(std::filesystem::exists(folder / "c.safetensors.part"));
}

TEST(Checkpoint, WritesASliceDense) {
  const Folder folder;
  Checkpoint c;
  c.tensors["slice"] = Tensor::from({2, 3}, Floats{1, 2, 3, 4, 5, 6}).slice(1, 2);
  c.write(folder / "c");
  EXPECT_EQ(Checkpoint::read(folder / "c").tensors.at("slice").floats(), (std::vector<float>{2, 3, 5, 6}));
}

// What any other reader of the format relies on: whole JSON, aligned data, text-only metadata.
TEST(Checkpoint, IsPlainSafetensors) {
  const Folder folder;
  sample().write(folder / "c");
  const std::string content = content_of(folder / "c");
  std::uint64_t length = 0;
  std::memcpy(&length, content.data(), 8);
  EXPECT_EQ(length % 8, 0u);
  const auto header = nlohmann::json::parse(content.substr(8, length));
  for (const auto& [key, text] : header.at("__metadata__").items()) EXPECT_TRUE(text.is_string()) << key;
  std::uint64_t end = 0;
  for (const auto& [name, t] : header.items()) {
    if (name == "__metadata__") continue;
    const std::map<std::string, std::uint64_t> sizes{{"F64", 8}, {"F32", 4},  {"I32", 4},
                                                     {"F16", 2}, {"BF16", 2}, {"U8", 1}};
    EXPECT_EQ(t.at("data_offsets")[0].get<std::uint64_t>() % sizes.at(t.at("dtype").get<std::string>()), 0u) << name;
    end = std::max(end, t.at("data_offsets")[1].get<std::uint64_t>());
  }
  EXPECT_EQ(8 + length + end, content.size());
}

TEST(Checkpoint, EverySingleBitFlipIsRefused) {
  const Folder folder;
  const std::string path = folder / "c.safetensors";
  sample().write(path);
  const std::string good = content_of(path);
  std::mt19937 random(7);
  int named = 0;
  for (int i = 0; i < 10'000; ++i) {
    // Every bit of a small file first, then random ones.
    const std::size_t bit =
        static_cast<std::size_t>(i) < good.size() * 8 ? static_cast<std::size_t>(i) : random() % (good.size() * 8);
    std::string bad = good;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << (bit % 8)));
    const std::string text = error_of([&] { read_safetensors(put(path, bad)); });
    named += text.find("header") != text.npos || text.find("tensor") != text.npos;
    if (::testing::Test::HasFailure()) FAIL() << "bit " << bit;
  }
  EXPECT_EQ(named, 10'000);
}

TEST(Checkpoint, DamagedNumbersNameTheirTensor) {
  const Folder folder;
  const std::string path = folder / "c";
  sample().write(path);
  std::string bad = content_of(path);
  bad.back() = static_cast<char>(bad.back() ^ 1);  // the bytes come last
  expect_part(error_of([&] { Checkpoint::read(put(path, bad)); }), "tensor \"bytes\" (bytes ");
}

TEST(Checkpoint, RefusesEveryTruncation) {
  const Folder folder;
  const std::string path = folder / "c.safetensors";
  sample().write(path);
  const std::string good = content_of(path);
  std::mt19937 random(3);
  std::uint64_t length = 0;
  std::memcpy(&length, good.data(), 8);
  for (std::size_t n = 0; n < 8 + length; n += n < 64 ? 1 : 7)
    error_of([&] { Checkpoint::read(put(path, good.substr(0, n))); });
  for (int i = 0; i < 64; ++i)
    error_of([&] { Checkpoint::read(put(path, good.substr(0, 8 + length + random() % (good.size() - 8 - length)))); });
  expect_part(error_of([&] { Checkpoint::read(put(path, good + "x")); }), "1 more bytes follow");
}

TEST(Checkpoint, RefusesANewerFormat) {
  const Folder folder;
  const std::string path = folder / "c";
  sample().write(path);
  std::string text = content_of(path);
  const std::string version = "\"dactyl.format\":\"1\"", header = "\"dactyl.header_crc32c\":\"";
  text.replace(text.find(version), version.size(), "\"dactyl.format\":\"2\"");
  std::uint64_t length = 0;
  std::memcpy(&length, text.data(), 8);
  const std::size_t at = text.find(header) + header.size();
  text.replace(at, 8, "00000000");
  text.replace(at, 8, hex8(crc32c(text.data(), 8 + length)));
  expect_part(error_of([&] { Checkpoint::read(put(path, text)); }),
              "format version \"2\", this program reads version 1");
}

TEST(Checkpoint, RefusesNamesItCouldNotReadBack) {
  Checkpoint c;
  const Folder folder;
  for (const std::string name : {"a\nb", "../x", "__metadata__", "\xff"}) {
    c.tensors = {{name, Tensor::scalar(1)}};
    expect_part(error_of([&] { c.write(folder / "c"); }, Exit::data), "cannot hold a tensor named");
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

}  // namespace
}  // namespace dactyl
