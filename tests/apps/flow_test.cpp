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

// A store that another run left in the folder is not what a run on colours was tested on.
TEST_F(Flow, a_run_on_colours_is_evaluated_on_colours) {
  ASSERT_EQ(run(train + "--data words --frame-folders on --out colours").code, 0);
  ASSERT_EQ(run("flow --algo farneback --side 48 words --out f --previews 0").code, 0);
  std::filesystem::copy_file(path("f/flow.pack"), path("colours/flow.pack"));
  EXPECT_EQ(run("eval --run colours --json").code, 0);
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

TEST_F(Flow, a_store_left_behind_is_used_for_its_own_data_only) {
  ASSERT_EQ(run("data synth --kind words --classes 2 --per-class 4 --frames 12 --size 64 --png-frames --seed 7 "
                "--out other")
                .code,
            0);
  write("labels.txt", "no such label\n");
  const std::string failing = "--flow cached --no-mirror labels.txt --out r";  // after the flow was computed
  ASSERT_NE(run(train + "--data words " + failing).code, 0);
  ASSERT_TRUE(std::filesystem::exists(path("r/flow.pack")));
  expect_error(train + "--data other --flow cached --out r", 3);
  std::filesystem::rename(path("words/up"), path("kept"));
  expect_error(train + "--data words --flow cached --out r", 3);  // its sources are gone
  std::filesystem::rename(path("kept"), path("words/up"));
  std::filesystem::copy(path("words/up/hand00_0001"), path("words/up/new"));
  expect_error(train + "--data words --flow cached --out r", 3);  // one that the store lacks
  write("words/up/new/0001.png", "no picture");
  EXPECT_EQ(run(train + "--data words --flow cached --out r").code, 0);  // it cannot be read
}

TEST_F(Flow, too_many_bad_videos_stop_a_run_on_stored_flow) {
  for (int i = 0; i < 6; ++i) {
    std::filesystem::create_directory(path("words/up/bad" + std::to_string(i)));
    write("words/up/bad" + std::to_string(i) + "/1.png", "no picture");
  }
  const Said said = run(train + "--data words --flow cached --out r");
  EXPECT_EQ(said.code, 3);
  EXPECT_NE(said.err.find("6 of the 10 videos of class \"up\" cannot be read"), std::string::npos) << said.err;
  EXPECT_EQ(run(train + "--data words --flow cached --bad-limit 0.6 --out r").code, 0);
}

TEST_F(Flow, single_pictures_and_nets_of_pictures_are_refused) {
  const std::string single = "--data words --clips uniform=1 --test-clips uniform=1 ";
  expect_error(train + single + "--flow on-the-fly --out a", 2);
  expect_error(train + single + "--frame-folders on --out b", 2);
  expect_error(train + single + "--flow on-the-fly --flow-encoding hsv --model mobilenet-0.25 --out c", 2);
  EXPECT_FALSE(std::filesystem::exists(path("a/last.safetensors")));
}

TEST_F(Flow, frames_of_another_size_are_refused) {
  ASSERT_EQ(run("data pack --frame-folders words --side 32 --out frames.pack").code, 0);
  expect_error("flow --algo farneback --side 48 frames.pack --out g", 2);
  expect_error("flow --algo farneback --side 48 words --longest nan --out g", 2);
  EXPECT_EQ(run("flow --algo farneback --side 32 frames.pack --out g --previews 0").code, 0);
}

}  // namespace
}  // namespace dactyl
