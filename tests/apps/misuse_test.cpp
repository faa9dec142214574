// What people get wrong: each mistake is one line that says what, where, and what to do, and nothing is lost by it.
#include <sys/stat.h>

#include "tests/apps/program.h"

namespace dactyl {
namespace {

class Misuse : public Program {
 protected:
  void expect_said(const std::string& arguments, int code, const std::string& part) const {
    expect_error(arguments, code);
    const std::string said = text_of(path("stderr.txt"));
    EXPECT_NE(said.find(part), std::string::npos) << arguments << "\n" << said;
  }
};

TEST_F(Misuse, numbers_are_digits_within_their_range) {
  for (const std::string verb : {"check", "data split nowhere", "data synth --out x"})
    for (const std::string seed : {"-1", "99999999999999999999", "1.5", "0x10", "''"})
      expect_said(verb + " --seed " + seed, 2, "whole number from 0 to 9223372036854775807");
  for (const std::string size : {"''", "224x0x5", "x224", "224x", "-5", "+5", "16385"})
    expect_said("models show googlenet --input " + size, 2, "expected a side like 224");
}

TEST_F(Misuse, too_small_an_input_names_the_smallest) {
  expect_said("models show googlenet --input 64", 2, "googlenet: an input of 64x64 is too small");
  expect_said("models show googlenet --input 64", 2, "with its auxiliary heads is 79x79");
  expect_said("models show alexnet --input 33", 2, "55x55");
  ASSERT_EQ(run("data synth --classes 2 --per-class 2 --size 32 --out pictures").code, 0);
  expect_said("train --model googlenet --input 64 --data pictures --stage all:1it@1e-3 --device cpu --out run", 2,
              "79x79");
}

TEST_F(Misuse, settings_files_say_what_they_do_not_know) {
  write("table.toml", "[bogus]\nsize = 4\n");
  expect_said("data synth --config table.toml", 2, "table.toml: bogus: a table holds one verb's settings");
  write("inner.toml", "config = \"other.toml\"\n");
  expect_said("data synth --config inner.toml", 2, "--config is for the command line alone");
  expect_said("data synth --set set=a=b", 2, "--set is for the command line alone");
  expect_said("data synth --config missing.toml", 2, "missing.toml: cannot be opened: No such file");
  expect_said("data synth --config /", 2, "/: is a directory");
  ASSERT_EQ(mkfifo(path("pipe").c_str(), 0600), 0);
  expect_said("data synth --config pipe", 2, "pipe: is a pipe");
  write("below.toml", "[data]\nclasses = 2\nsize = 32\n[synth]\nper-class = 2\n[scan]\njson = true\n");
  ASSERT_EQ(run("data synth --config below.toml --out pictures").code, 0);
  EXPECT_EQ(run("data scan pictures --json").json()["samples"], 4);
}

TEST_F(Misuse, synth_overwrites_only_what_it_made) {
  const std::string how = "data synth --classes 2 --per-class 2 --size 32 --out ";
  std::filesystem::create_directories(path("mine"));
  write("mine/index.csv", "path,label\n");
  expect_said(how + "mine", 2, "mine: is not empty and was not made by the same command");
  EXPECT_EQ(text_of(path("mine/index.csv")), "path,label\n");
  std::filesystem::create_directories(path("empty"));
  EXPECT_EQ(run(how + "empty").code, 0);
  std::filesystem::remove(path("empty/index.csv"));
  EXPECT_EQ(run(how + "empty").code, 0);  // as after an interruption
  EXPECT_TRUE(std::filesystem::exists(path("empty/index.csv")));
  expect_said(how + "empty --seed 2", 2, "not made by the same command");
  write("file", "x");
  expect_said(how + "file", 3, "file: cannot be");
  expect_said(how + "/proc/x", 3, "/proc/x: cannot be made");
}

TEST_F(Misuse, names_cannot_speak_to_the_terminal) {
  expect_said("data scan 'no\nsuch\x1b[31m'", 3, "no\\x0asuch\\x1b[31m: no such folder");
  write("index.csv", "path,label\nx.jpg,\x1b[31mred\n");
  EXPECT_EQ(run("data scan index.csv").out.find('\x1b'), std::string::npos);
  write("bytes.csv", "path,label\nx.jpg,\xff\n");
  expect_said("data scan bytes.csv", 3, "bytes.csv:2: \"\\xff\" is not UTF-8");
}

TEST_F(Misuse, what_cannot_decode_is_said_before_a_run_begins) {
  ASSERT_EQ(run("data synth --classes 2 --per-class 2 --size 32 --out photos").code, 0);
  const std::string train = "train --data photos --stage head:1it@1e-3 --device cpu --out runs/none --decode ";
  expect_said(train + "gpu", 2, "--decode cpu works everywhere");
  expect_said(train + "both", 2, "--decode 'both': expected one of auto, cpu, gpu");
  EXPECT_FALSE(std::filesystem::exists(path("runs/none")));
}

TEST_F(Misuse, the_list_of_models_has_columns) {
  const std::string listed = run("models").out;
  std::istringstream lines(listed);
  for (std::string line; std::getline(lines, line);) {
    std::size_t paper = line.npos;
    for (const char* begin : {"Krizhevsky et", "Krizhevsky 2014", "Szegedy", "Howard", "a baseline", "Carreira"})
      paper = std::min(paper, line.find(begin));
    ASSERT_NE(paper, line.npos) << line;
    EXPECT_EQ(line.substr(paper - 2, 2), "  ") << line;
    EXPECT_EQ(paper, listed.find("Krizhevsky et")) << line;
  }
}

}  // namespace
}  // namespace dactyl
