// dactyl flow and training on it: folders of pictures stand for videos, so that no FFmpeg is needed.
#include "tests/apps/program.h"

namespace dactyl {
namespace {

class Flow : public Program {
 protected:
  void SetUp() override {
    const std::string synth = "data synth --kind words --classes 2 --per-class 4 --frames 12 --size 64 --png-frames";
    ASSERT_EQ(run(synth + " --out words").code, 0);
  }
  const std::string train =
      "train --model i3d --input 32 --batch 2 --clips uniform=9 --test-clips uniform=9 "
      "--stage all:2it@1e-3 --split 0.5 --flow-algo farneback --flow-side 48 --device cpu ";
  std::string losses(const std::string& folder) const {  // step,loss
    std::string columns;
    std::istringstream rows(text_of(path(folder + "/train.csv")));
    for (std::string row; std::getline(rows, row);) columns += row.substr(0, row.find(',', row.find(',') + 1)) + "\n";
    return columns;
  }
};

TEST_F(Flow, a_store_and_training_on_it) {
  const auto made = run("flow --algo farneback --side 48 words --out f --previews 0 --json").json();
  EXPECT_EQ(made["samples"], 8);
  EXPECT_EQ(made["frames"], 96);
  ASSERT_EQ(run(train + "--data f/flow.pack --flow cached --out stored").code, 0);
  ASSERT_EQ(run(train + "--data words --flow cached --out cached").code, 0);
  ASSERT_EQ(run(train + "--data words --flow on-the-fly --out computed").code, 0);
  EXPECT_NE(losses("computed").find("\n2,"), std::string::npos);
  EXPECT_EQ(losses("computed"), losses("cached"));
  EXPECT_EQ(losses("computed"), losses("stored"));
  const auto on_videos = run("eval --run computed --data words --json --out e1").json();
  EXPECT_EQ(on_videos["samples"], 8);
  EXPECT_EQ(run("eval --run computed --data f/flow.pack --json --out e2").json()["top1"], on_videos["top1"]);
}

TEST_F(Flow, previews_take_turns_among_the_classes_and_are_explained) {
  std::filesystem::rename(path("words/up"), path("words/up & over"));
  const Said said = run("flow --algo farneback --side 48 words --out f --previews 3");
  if (said.err.find("FFmpeg") != std::string::npos) GTEST_SKIP() << said.err;
  ASSERT_EQ(said.code, 0) << said.err;
  for (const char* name : {"preview-0-down-hand", "preview-1-up___over-hand", "preview-2-down-hand"})
    EXPECT_NE(said.out.find(name), std::string::npos) << said.out;
  EXPECT_NE(said.out.find("red moves right"), std::string::npos);
  EXPECT_NE(said.out.find("full from 5 pixels"), std::string::npos);
}

TEST_F(Flow, what_does_not_fit_is_refused) {
  ASSERT_EQ(run("flow --algo farneback --side 48 words --out f --previews 0").code, 0);
  ASSERT_EQ(run(train + "--data f/flow.pack --flow cached --out stored").code, 0);
  expect_error(train + "--data f/flow.pack --flow cached --flow-side 32 --out x", 2);
  expect_error(train + "--data words --flow cached --weights stored --flow-encoding hsv --out x2", 2);
  expect_error(train + "--data words --flow none --weights stored --out x3", 2);
  expect_error("flow --algo tvl2 words --out g", 2);
  expect_error("flow --algo farneback --median 5 words --out g", 2);
  expect_error("flow nowhere --out g", 3);
}

}  // namespace
}  // namespace dactyl
