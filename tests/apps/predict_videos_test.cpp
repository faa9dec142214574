// dactyl predict on videos: with a net of clips, and with one of pictures.
#include "tests/apps/program.h"

namespace dactyl {
namespace {

class PredictVideos : public Program {
 protected:
  void SetUp() override {
    const Said said = run("data synth --kind words --classes 2 --per-class 2 --frames 5 --size 32 --out words");
    if (said.err.find("FFmpeg") != std::string::npos) GTEST_SKIP() << said.err;
    ASSERT_EQ(said.code, 0) << said.err;
  }
  void train(const std::string& what) const {
    const Said said = run("train --split 0.5 --stage all:1it@1e-3 --batch 2 --device cpu --seed 3 --out run " + what);
    ASSERT_EQ(said.code, 0) << said.err;
  }
  std::vector<nlohmann::json> lines(const Said& said) const {
    std::vector<nlohmann::json> all;
    std::istringstream text(said.out);
    for (std::string line; std::getline(text, line);) all.push_back(nlohmann::json::parse(line));
    return all;
  }
};

TEST_F(PredictVideos, a_net_of_clips_labels_files_and_folders) {
  train("--data words --model mobilenet-lstm --input 32 --clips segments=3 --test-clips uniform=3");
  const Said said = run("predict --run run --device cpu --json words/up/hand00_0001.mp4 words");
  ASSERT_EQ(said.code, 0) << said.err;
  const auto results = lines(said);
  ASSERT_EQ(results.size(), 5u);
  EXPECT_EQ(results[0], results[3]) << "the same file twice";
  EXPECT_EQ(results[1]["file"], "words/down/hand00_0001.mp4");
  for (const auto& r : results) EXPECT_EQ(r["top"].size(), 2u);
  // As eval has it.
  ASSERT_EQ(run("eval --run run --data words --device cpu --out report --json").code, 0);
  std::istringstream table(text_of(path("report/logits.csv")));
  std::string header, row;
  std::getline(table, header);
  std::getline(table, row);
  EXPECT_EQ(header, "name,label,down,up");
  const auto& top = results[1]["top"];
  const double down = top[0]["label"] == "down" ? top[0]["logit"] : top[1]["logit"];
  EXPECT_EQ(row.rfind("words/down/hand00_0001.mp4,down,", 0), 0u) << row;
  EXPECT_NEAR(std::stod(row.substr(32)), down, 1e-4) << row;
  // Other frames, other scores.
  const auto centre = lines(run("predict --run run --device cpu --json --clips centre=3 words/down/hand00_0001.mp4"));
  EXPECT_NE(centre[0]["top"][0]["logit"], top[0]["logit"]);
  write("bad.mp4", "no video");
  const Said bad = run("predict --run run --device cpu bad.mp4 words/up");
  EXPECT_EQ(bad.code, 3);
  EXPECT_NE(bad.err.find("1 of 3 files could not be read"), std::string::npos) << bad.err;
  expect_error("predict --run run --device cpu --clips uniform=4 words", 2);
  expect_error("predict --run run --device cpu --clips dense=3 words", 2);
  ASSERT_EQ(run("data synth --classes 1 --per-class 1 --size 32 --out words/pictures").code, 0);
  expect_error("predict --run run --device cpu words", 2);
}

TEST_F(PredictVideos, a_net_of_pictures_sees_the_middle_frame) {
  ASSERT_EQ(run("data synth --classes 2 --per-class 2 --size 32 --out pictures").code, 0);
  train("--model googlenet-bn --input 32 --data pictures");
  const Said said = run("predict --run run --device cpu --json words/up pictures/A");
  ASSERT_EQ(said.code, 0) << said.err;
  const auto results = lines(said);
  ASSERT_EQ(results.size(), 4u);
  EXPECT_EQ(results[0]["file"], "words/up/hand00_0001.mp4");
  EXPECT_EQ(results[3]["file"].get<std::string>().rfind("pictures/A/", 0), 0u);
  const auto middle = lines(run("predict --run run --device cpu --json --clips centre=1 words/up"));
  EXPECT_EQ(middle[0], results[0]);
  expect_error("predict --run run --device cpu --clips uniform=2 words/up", 2);
}

}  // namespace
}  // namespace dactyl
