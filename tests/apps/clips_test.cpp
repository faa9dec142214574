// The verbs of data on clips: folders of pictures stand for videos, so that no FFmpeg is needed.
#include "tests/apps/program.h"

namespace dactyl {
namespace {

class Clips : public Program {
 protected:
  void SetUp() override {  // clips/hands/A, B, C: three clips of one class
    ASSERT_EQ(run("data synth --classes 3 --per-class 4 --size 48 --out clips/hands").code, 0);
  }
};

TEST_F(Clips, scan_finds_the_bad_ones) {
  write("clips/hands/B/zz.jpg", "not a picture");
  const auto found = run("data scan clips --frame-folders --out good.csv --json").json();
  EXPECT_EQ(found["samples"], 3);
  EXPECT_EQ(found["classes"], (nlohmann::json{{"hands", 3}}));
  ASSERT_EQ(found["bad"].size(), 1u);
  EXPECT_NE(found["bad"][0].get<std::string>().find("B/zz.jpg: neither JPEG nor PNG"), std::string::npos);
  EXPECT_EQ(run("data scan good.csv --frame-folders --json").json()["samples"], 2);
}

TEST_F(Clips, pack_and_what_it_says_of_its_sources) {
  const auto packed = run("data pack clips --frame-folders --side 32 --out x.pack --json").json();
  EXPECT_EQ(packed["samples"], 3);
  EXPECT_EQ(packed["frames"], 12);
  EXPECT_EQ(packed["bytes"].get<std::uintmax_t>(), std::filesystem::file_size(path("x.pack")));
  EXPECT_EQ(run("data scan x.pack --json").json()["samples"], 3);
  EXPECT_EQ(run("data pack x.pack --check").code, 0);
  std::filesystem::remove_all(path("clips/hands/C"));
  const Said said = run("data pack x.pack --check --json");
  EXPECT_EQ(said.code, 5);
  EXPECT_EQ(said.json()["changed"].size(), 4u);
}

TEST_F(Clips, errors_are_one_line) {
  expect_error("data pack clips --frame-folders", 2);
  expect_error("data pack nowhere --out x.pack", 3);
  expect_error("data scan clips --frame-folders --min-per-class 9", 3);
  expect_error("data pack clips/hands --frame-folders --fps 0 --out x.pack", 2);
}

}  // namespace
}  // namespace dactyl
