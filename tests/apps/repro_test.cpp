// dactyl repro: the papers' recipes, made small, from data to the page.
#include "tests/apps/program.h"

namespace dactyl {
namespace {

using Repro = Program;

const std::string tiny = " --input 80 --batch 4 --stage all:1it@1e-3 --device cpu ", small = tiny + "--out r ";

TEST_F(Repro, the_alphabet_of_photos) {
  ASSERT_EQ(run("data synth --classes 2 --per-class 5 --size 72 --out photos").code, 0);
  const std::string command = "repro seed1 photos --streams googlenet" + small;
  const Said first = run(command + "--json");
  ASSERT_EQ(first.code, 0) << first.err;
  const auto said = first.json();
  ASSERT_EQ(said["runs"].size(), 1u);
  EXPECT_EQ(said["runs"][0]["name"], "googlenet");
  EXPECT_NEAR(said["runs"][0]["paper"].get<double>(), 0.9552, 1e-9);
  EXPECT_EQ(said["runs"][0]["figure"], said["runs"][0]["metrics"]["top1"]);
  const std::string deviations = said["deviations"].dump();
  for (const char* text :
       {"2 classes with 10 samples; the paper's: 26 classes with 78000 samples", "googlenet: batch 4 instead of 128",
        "googlenet: input 80 instead of the net's own", "googlenet: stage all:1it@0.001 instead of head:4ep@1e-04",
        "googlenet: begins with random weights", "alexnet: not run"})
    EXPECT_NE(deviations.find(text), std::string::npos) << text << "\n" << deviations;
  EXPECT_EQ(deviations.find("flow-side"), std::string::npos) << deviations;
  const std::string page = text_of(path("r/page.html")), log = text_of(path("r/googlenet/log.txt"));
  for (const char* text : {"95.52 %", "batch 4 instead of 128", "aug = &quot;reflect-x,shift=30&quot;"})
    EXPECT_NE(page.find(text), std::string::npos) << text;
  const Said second = run(command + "--json");
  EXPECT_EQ(second.json(), said);  // what is done is not done again
  EXPECT_NE(second.err.find("googlenet: done already"), std::string::npos) << second.err;
  EXPECT_EQ(text_of(path("r/googlenet/log.txt")), log);
  const std::string other = "repro seed1 photos --streams googlenet --set momentum=0.5 --smoothing 0.1" + small;
  expect_error(other, 2);
  EXPECT_NE(run(other).err.find("smoothing 0 (now 0.1)"), std::string::npos);
  EXPECT_NE(run(other).err.find("momentum 0.9 (now 0.5)"), std::string::npos);
}

TEST_F(Repro, what_a_run_began_with) {
  ASSERT_EQ(run("data synth --classes 2 --per-class 5 --size 72 --out photos").code, 0);
  ASSERT_EQ(run("repro seed1 photos --streams googlenet" + small).code, 0);
  const std::string weights = "--weights-googlenet r/googlenet/best.safetensors";
  const Said wrong = run("repro seed1 photos --out s --weights-alexnet r/googlenet/best.safetensors" + tiny);
  EXPECT_EQ(wrong.code, 65) << wrong.err;
  EXPECT_NE(wrong.err.find("alexnet: "), std::string::npos) << wrong.err;
  const Said late = run("repro seed1 photos --weights-googlenet nowhere.safetensors --out s" + tiny);
  EXPECT_NE(late.code, 0);
  EXPECT_NE(late.err.find("googlenet: "), std::string::npos) << late.err;
  EXPECT_FALSE(std::filesystem::exists(path("s")));  // the runs before it have not begun
  const std::string again = "repro seed1 photos --streams googlenet --json " + weights + " --out s" + tiny;
  const std::string told = run(again).json()["deviations"].dump();
  for (const char* text : {"googlenet: begins with best.safetensors (its origin: ", "the paper with a net trained on"})
    EXPECT_NE(told.find(text), std::string::npos) << told;
  EXPECT_EQ(run(again + "--same-start googlenet").json()["deviations"].dump().find("begins with"), std::string::npos);
}

TEST_F(Repro, words_and_a_run_that_was_interrupted) {
  ASSERT_EQ(run("data synth --kind words --classes 2 --per-class 5 --frames 9 --size 32 --png-frames --out w").code, 0);
  ASSERT_EQ(run("data pack w --frame-folders --side 32 --out w.pack").code, 0);
  const std::string command =
      "repro seed2 w.pack --streams rgb,farneback,mobilenet-lstm --flow-side 32 --set min-per-class=2 --clips "
      "uniform=9 --test-clips uniform=9 "
      "--input 32 --batch 4 --stage all:1it@1e-3 --only farneback:stage=head:1it@1e-2 --only "
      "farneback:stage=all:1it@1e-2 "
      "--device cpu --out r";
  ASSERT_EQ(run(command).code, 0);
  for (const char* gone : {"r/rgb/eval", "r/page.html"}) std::filesystem::remove_all(path(gone));
  const Said again = run(command);
  ASSERT_EQ(again.code, 0) << again.err;
  EXPECT_NE(again.err.find("resuming at step 1"), std::string::npos) << again.err;
  EXPECT_NE(again.out.find("paper\tmacro F1 84.85 %"), std::string::npos) << again.out;
  const std::string page = text_of(path("r/page.md"));
  for (const char* text :
       {"| rgb | – |", "| mobilenet-lstm | – |", "all runs: min-per-class 2 instead of 20",
        "seed2.toml, of rgb, farneback:", "| rgb 1.00 |", "- farneback: flow-side 32 instead of 256",
        "- farneback: stage head:1it@0.01, all:1it@0.01 instead of", "- rgb: stage all:1it@0.001 instead of",
        "(fused/confusion.png)", "(rgb/eval/confusion.png)"})
    EXPECT_NE(page.find(text), std::string::npos) << page;
}

TEST_F(Repro, misuse_is_one_line) {
  expect_error("repro seed3 photos", 2);
  expect_error("repro seed1 nowhere --out r", 3);
  expect_error("repro seed1 . --recipes nowhere", 2);
  expect_error("repro seed1 photos --streams rgb", 2);
  expect_error("repro seed1 photos --model i3d", 2);
  for (const char* only :
       {"batch=8", "googlenet:batch", "rgb:batch=8", "googlenet:model=alexnet", "googlenet:colour=red"})
    expect_error(std::string("repro seed1 photos --only ") + only, 2);
  ASSERT_EQ(run("data synth --classes 2 --per-class 5 --size 72 --out photos").code, 0);
  const Said pictures = run("repro seed2 photos --streams rgb --set min-per-class=2 --out r");
  EXPECT_EQ(pictures.code, 3) << pictures.err;
  EXPECT_NE(pictures.err.find("holds pictures, i3d takes clips"), std::string::npos) << pictures.err;
}

}  // namespace
}  // namespace dactyl
