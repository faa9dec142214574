// Seeded damage to small files: the readers either load them or say why not; nothing else may happen.
#include <chrono>
#include <random>

#include "tests/weights/forge.h"

namespace dactyl {
namespace {

// Bytes that mean something to one of the parsers.
constexpr std::string_view telling("\0\xff\x7f\x80{}[]\",:0-9.eE", 17);

// Edits of a file: bits, bytes, interesting numbers, pieces cut, doubled or moved.
std::string mutated(std::string s, unsigned edits, std::mt19937& random) {
  const auto at = [&] { return s.empty() ? 0 : random() % s.size(); };
  for (; edits > 0 && !s.empty(); --edits) {
    const std::size_t i = at(), n = 1 + random() % std::min<std::size_t>(s.size() - i, 24);
    switch (random() % 8) {
      case 0:
        s[i] = static_cast<char>(s[i] ^ (1 << random() % 8));
        break;
      case 1:
        s[i] = static_cast<char>(random());
        break;
      case 2:
        s[i] = telling[random() % telling.size()];
        break;
      case 3:
        s.erase(i, n);
        break;
      case 4:
        s.insert(at(), s.substr(i, n));
        break;
      case 5:
        s.resize(i);
        break;
      case 6:
        s.replace(i, std::min<std::size_t>(8, s.size() - i), raw(~std::uint64_t{0}).substr(0, 8));
        break;
      default:
        s.insert(i, std::to_string(random()));
        break;
    }
  }
  return s;
}

struct Outcome {
  int loaded = 0, refused = 0;
};

Outcome attack(const std::string& good, const std::string& ending, int rounds) {
  const Folder folder;
  const std::string path = folder / ("w" + ending);
  std::mt19937 random(2026);
  Outcome outcome;
  EXPECT_NO_THROW(Checkpoint::read(put(path, good)));
  for (int i = 0; i < rounds; ++i) {
    put(path, mutated(good, 1 + random() % 4, random));
    try {
      Checkpoint::read(path);
      ++outcome.loaded;
    } catch (const Error& e) {
      EXPECT_EQ(e.exit(), Exit::model_file) << "round " << i << ": " << e.what();
      EXPECT_TRUE(std::string(e.what()).starts_with(path)) << e.what();
      ++outcome.refused;
    }
  }
  EXPECT_EQ(outcome.loaded + outcome.refused, rounds);
  return outcome;
}

TEST(Mutation, Safetensors) {
  const std::string header =
      R"({"a":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]},"b":{"dtype":"BF16","shape":[3],"data_offsets":[16,22]},)"
      R"("n":{"dtype":"I64","shape":[],"data_offsets":[22,30]},"__metadata__":{"k":"v"}})";
  const auto start = std::chrono::steady_clock::now();
  const Outcome outcome = attack(safetensors(header, std::string(30, '\x3f')), ".safetensors", 20'000);
  EXPECT_GT(outcome.refused, 5'000);
  EXPECT_GT(outcome.loaded, 100);  // damage to the numbers alone cannot be noticed in this format
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20));
}

TEST(Mutation, Caffemodel) {
  const std::string bias = legacy(1, 1, 1, 2) + packed({1, 2});
  const std::string good = net(v1_layer("c", 4, {legacy(2, 1, 1, 2) + packed(counting(4)), bias}) +
                               v2_layer("f", "InnerProduct", {blob_shape({2, 3}) + packed(counting(6)), bias}));
  const auto start = std::chrono::steady_clock::now();
  const Outcome outcome = attack(good, ".caffemodel", 20'000);
  EXPECT_GT(outcome.refused, 5'000);
  EXPECT_GT(outcome.loaded, 100);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20));
}

TEST(Mutation, OurCheckpointIsTakenUnchangedOrNotAtAll) {
  const Folder folder;
  const std::string path = folder / "c.safetensors";
  Checkpoint c;
  c.tensors["w"] = Tensor::from({4}, std::vector<float>{1, 2, 3, 4});
  c.notes["dactyl.layout"] = "dactyl";
  c.write(path);
  const std::string good = content_of(path);
  std::mt19937 random(11);
  for (int i = 0; i < 20'000; ++i) {
    const std::string bad = mutated(good, 1, random);
    put(path, bad);
    try {
      const Checkpoint read = Checkpoint::read(path);
      EXPECT_EQ(bad, good) << "round " << i;
    } catch (const Error& e) {
      EXPECT_EQ(e.exit(), Exit::model_file) << e.what();
    }
  }
}

}  // namespace
}  // namespace dactyl
