// Passports survive a file, refuse nonsense, and agree with the manifest.
#include "weights/passport.h"

#include <nlohmann/json.hpp>

#include "tests/weights/forge.h"

namespace dactyl {
namespace {

TEST(Passport, SurvivesAFile) {
  const Folder folder;
  Passport p = known_passport("alexnet-torchvision");
  p.labels = {"A", "tench, \"Tinca\"", "line\nbreak", "手"};
  p.origin = "trained from \xff.caffemodel";
  Checkpoint c;
  c.notes = p.to_notes();
  c.write(folder / "c");
  const Passport q = Passport::from_notes(Checkpoint::read(folder / "c").notes);
  EXPECT_EQ(q.model, p.model);
  EXPECT_EQ(q.channel_order, "rgb");
  EXPECT_EQ(q.mean, p.mean);
  EXPECT_EQ(q.scale, p.scale);
  EXPECT_EQ(q.height, 224);
  EXPECT_EQ(q.width, 224);
  EXPECT_EQ(q.resize, "short256-antialias");
  EXPECT_EQ(q.labels, p.labels);
  EXPECT_EQ(q.origin, "trained from \xef\xbf\xbd.caffemodel");
  EXPECT_EQ(q.licence, p.licence);
}

TEST(Passport, NoneIsEmpty) {
  EXPECT_TRUE(Passport::from_notes({{"who", "me"}}).empty());
  EXPECT_TRUE(known_passport("resnet").empty());
  EXPECT_TRUE(Passport().to_notes().empty());
}

TEST(Passport, RefusesWhatIsNoFigure) {
  const std::vector<std::tuple<std::string, std::string, std::string>> cases{
      {"mean", "123", "mean is \"123\"; a list of numbers in square brackets was expected"},
      {"mean", "[1,\"x\",3]", "mean is"},
      {"mean", "[1e39,1,1]", "mean is \"[1e39,1,1]\"; its numbers must be between -1e9 and 1e9"},
      {"scale", "[1]", "mean of 3 channels, scale of 1"},
      {"labels", "[1]", "labels is"},
      {"labels", std::string(5 << 20, '['), "labels takes 5242880 bytes"},
      {"height", "-3", "height is \"-3\"; a number of pixels"},
      {"height", "65536", "height is \"65536\"; a number of pixels or frames up to 4096"},
      {"width", "224px", "width is \"224px\""},
      {"channel_order", "gbr", "channel_order is \"gbr\"; rgb or bgr was expected"}};
  for (const auto& [key, text, part] : cases) {
    auto notes = known_passport("googlenet").to_notes();
    notes["dactyl.passport." + key] = text;
    const std::string said = error_of([&] { Passport::from_notes(notes, "some.safetensors"); });
    expect_part(said, part);
    EXPECT_TRUE(said.starts_with("some.safetensors: passport: ")) << said;
  }
}

TEST(Passport, OfThePublicWeights) {
  EXPECT_EQ(known_passport("googlenet").mean, (std::vector<float>{123, 117, 104}));
  EXPECT_EQ(known_passport("alexnet").height, 227);
  const Passport bn = known_passport("googlenet-bn");  // 2 · byte / 255 − 1
  EXPECT_FLOAT_EQ((255 - bn.mean[0]) * bn.scale[0], 1);
  EXPECT_FLOAT_EQ((0 - bn.mean[2]) * bn.scale[2], -1);
  const Passport t = known_passport("alexnet-torchvision");
  EXPECT_FLOAT_EQ((255 - t.mean[1]) * t.scale[1], (1 - 0.456f) / 0.224f);
}

TEST(Manifest, NamesEveryModelOnce) {
  const std::filesystem::path here = std::filesystem::path(__FILE__).parent_path();
  const auto manifest = nlohmann::json::parse(content_of((here / "../../weights/manifest.json").string()));
  std::map<std::string, int> seen;
  for (const auto& file : manifest.at("files")) {
    ++seen[file.at("model").get<std::string>()];
    for (const char* key : {"file", "origin", "licence", "top1", "top5", "values"})
      EXPECT_TRUE(file.contains(key)) << key;
    EXPECT_TRUE(file.contains("sha1") || file.contains("sha256"));
    EXPECT_FALSE(known_passport(file.at("model").get<std::string>()).empty());
  }
  EXPECT_EQ(seen.size(), 4u);
  for (const auto& [model, count] : seen) EXPECT_EQ(count, 1) << model;
}

}  // namespace
}  // namespace dactyl
