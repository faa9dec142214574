// dactyl data synth --kind words: files, tables and what is refused.
#include "tests/apps/program.h"

namespace dactyl {
namespace {

using SynthWords = Program;

const std::string tiny = "data synth --kind words --classes 3 --per-class 2 --frames 3 --size 32 ";

TEST_F(SynthWords, folders_of_frames_and_their_tables) {
  const Said said = run(tiny + "--png-frames --out w --sheet sheet.png");
  ASSERT_EQ(said.code, 0) << said.err;
  for (const char* frame : {"0001.png", "0002.png", "0003.png"})
    EXPECT_TRUE(std::filesystem::exists(path("w/down/hand01_0002/" + std::string(frame)))) << frame;
  EXPECT_FALSE(std::filesystem::exists(path("w/down/hand01_0002/0004.png")));
  EXPECT_EQ(text_of(path("w/index.csv")),
            "path,label\nup/hand00_0001,up\nup/hand01_0002,up\ndown/hand00_0001,down\ndown/hand01_0002,down\n"
            "right/hand03_0001,right\nright/hand04_0002,right\n");
  const std::string meanings = text_of(path("w/words.csv"));
  EXPECT_NE(meanings.find("up,2,\"flat hand (B)\",\"rises\",down\n"), std::string::npos) << meanings;
  EXPECT_NE(meanings.find("\"goes to the viewer's right\",\n"), std::string::npos) << "the third has no partner here";
  EXPECT_TRUE(std::filesystem::exists(path("sheet.png")));
}

TEST_F(SynthWords, the_same_videos_twice) {
  const Said said = run(tiny + "--out a");
  if (said.err.find("FFmpeg") != std::string::npos) GTEST_SKIP() << said.err;
  ASSERT_EQ(said.code, 0) << said.err;
  ASSERT_EQ(run(tiny + "--out b").code, 0);
  const std::string video = text_of(path("a/up/hand00_0001.mp4"));
  EXPECT_GT(video.size(), 500u);
  EXPECT_EQ(video, text_of(path("b/up/hand00_0001.mp4")));
  EXPECT_EQ(text_of(path("a/index.csv")).substr(0, 33), "path,label\nup/hand00_0001.mp4,up\n");
}

TEST_F(SynthWords, unbalanced_counts) {
  ASSERT_EQ(
      run("data synth --kind words --classes 3 --per-class 4 --frames 1 --size 8 --unbalanced --png-frames --out w")
          .code,
      0);
  const auto count = [&](const std::string& word) {
    const std::filesystem::directory_iterator entries(path("w/" + word));
    return std::distance(begin(entries), end(entries));
  };
  EXPECT_EQ(count("up"), 5);
  EXPECT_EQ(count("down"), 4);
  EXPECT_EQ(count("right"), 3);
}

TEST_F(SynthWords, misuse_is_one_line_and_exit_2) {
  const std::string kind = "data synth --kind words --out x ";
  for (const std::string wrong :
       {"--classes 21", "--frames 0", "--frames 1001", "--size 5000", "--per-class 0", "--png"})
    expect_error(kind + wrong, 2);
  for (const std::string wrong : {"--frames 3", "--unbalanced", "--png-frames", "--sheet x.png"})
    expect_error("data synth --out x " + wrong, 2);
  expect_error("data synth --kind songs --out x", 2);
  EXPECT_FALSE(std::filesystem::exists(path("x")));
}

}  // namespace
}  // namespace dactyl
