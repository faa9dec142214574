// The command line: help, errors and exit codes, settings from files, the models' numbers.
#include "tests/apps/program.h"

namespace dactyl {
namespace {

using Cli = Program;

TEST_F(Cli, every_verb_has_help_with_examples) {
  for (const std::string verb : {"doctor", "models", "data synth", "data scan", "data split", "train", "tune", "eval",
                                 "fuse", "predict", "check", "bench", "bench model", "bench layer", "bench op",
                                 "bench data", "bench roofs", "bench compare", "profile"}) {
    const Said said = run(verb + " --help");
    EXPECT_EQ(said.code, 0) << verb;
    EXPECT_NE(said.out.find("Examples:\n  dactyl " + verb), std::string::npos) << said.out;
    EXPECT_EQ(said.err, "") << verb;
  }
}

TEST_F(Cli, misuse_is_one_line_and_exit_2) {
  for (const std::string wrong :
       {"", "sing", "models show", "models show lenet", "data synth --size 64", "predict x.jpg", "models --device cpu",
        "doctor --set json", "doctor --set colour=red", "check --device tpu", "check nothing", "check lrn nothing",
        "data synth --classes 27 --out x"})
    expect_error(wrong, 2);
}

TEST_F(Cli, bad_data_is_exit_3) {
  expect_error("data scan nowhere", 3);
  expect_error("doctor --disk nowhere", 3);
  std::filesystem::create_directories(path("empty"));
  expect_error("data scan empty", 3);
}

TEST_F(Cli, a_bad_model_file_is_exit_65) {
  write("junk.safetensors", "this is no model");
  write("x.jpg", "nor is this a picture");
  expect_error("predict --model googlenet --weights junk.safetensors x.jpg", 65);
}

TEST_F(Cli, settings_come_from_file_set_and_command_line_in_that_order) {
  write("settings.toml", "per_class = 2\nsize = 48\nout = \"pictures\"\n[synth]\nclasses = 3\n[train]\nbatch = 8\n");
  const Said said = run("data synth --config settings.toml --set classes=4 --set size=40 --classes 2");
  ASSERT_EQ(said.code, 0) << said.err;
  const auto scanned = run("data scan pictures --json").json();
  EXPECT_EQ(scanned["samples"], 4);
  EXPECT_EQ(scanned["classes"], (nlohmann::json{{"A", 2}, {"B", 2}}));
}

TEST_F(Cli, a_wrong_settings_file_names_the_place) {
  write("broken.toml", "size = 48\nout = = 3\n");
  EXPECT_NE(run("data synth --config broken.toml").err.find("broken.toml: line 2"), std::string::npos);
  expect_error("data synth --config broken.toml", 2);
  expect_error("data synth --config missing.toml", 2);
  write("unknown.toml", "colour = \"red\"\nout = \"x\"\n");
  expect_error("data synth --config unknown.toml", 2);
}

TEST_F(Cli, models_show_gives_the_published_numbers) {
  const auto expect = [&](const std::string& name, long parameters, long with_heads, long macs) {
    const auto table = run("models show " + name + " --json").json();
    EXPECT_EQ(table["name"], name);
    EXPECT_EQ(table["parameters"], parameters);
    EXPECT_EQ(table["parameters_with_auxiliary"], with_heads);
    EXPECT_EQ(table["macs"], macs);
    long sum = 0;
    for (const auto& layer : table["layers"]) sum += layer["macs"].get<long>();
    EXPECT_EQ(sum, macs);
  };
  expect("alexnet", 60'965'224, 60'965'224, 724'406'816);
  expect("alexnet-torchvision", 61'100'840, 61'100'840, 714'188'480);
  expect("googlenet", 6'998'552, 13'378'280, 1'582'671'872);
  expect("googlenet-bn", 6'624'904, 13'004'888, 1'498'376'192);
}

TEST_F(Cli, models_are_listed) {
  std::vector<std::string> names;
  for (const auto& model : run("models --json").json()) names.push_back(model["name"]);
  EXPECT_EQ(names, (std::vector<std::string>{"alexnet", "alexnet-torchvision", "googlenet", "googlenet-bn", "mobilenet",
                                             "mobilenet-lstm", "i3d"}));
}

TEST_F(Cli, a_net_of_clips_is_shown_for_its_length_and_channels) {
  const auto table = run("models show i3d --frames 20 --channels 2 --json").json();
  EXPECT_EQ(table["input"], nlohmann::json({20, 224, 224, 2}));
  EXPECT_EQ(table["parameters"], 12668032);
  EXPECT_EQ(table["macs"], 32098105344);
  const auto convolutions = std::count_if(table["layers"].begin(), table["layers"].end(),
                                          [](const auto& layer) { return layer["kind"] == "conv"; });
  EXPECT_EQ(convolutions, 57 + 1);  // and the head
  EXPECT_EQ(run("models show i3d --frames 8").code, 2);
  EXPECT_EQ(run("models show googlenet --frames 20").code, 2);
}

TEST_F(Cli, a_reader_that_has_seen_enough_is_no_error) {
  const Said said = run("models show alexnet", "| head -n 1");
  EXPECT_EQ(said.err, "");
  EXPECT_EQ(std::count(said.out.begin(), said.out.end(), '\n'), 1);
}

TEST_F(Cli, a_full_disk_is_noticed) {
  const Said said = run("models --json >/dev/full");
  EXPECT_EQ(said.code, 3);
  EXPECT_EQ(said.err.rfind("dactyl: standard output", 0), 0u) << said.err;
}

TEST_F(Cli, doctor_says_what_will_be_used) {
  const auto found = run("doctor --json").json();
  EXPECT_EQ(found["device"], found["gpus"].empty() ? "cpu" : "cuda:0");
  EXPECT_GT(found["cores"], 0);
  EXPECT_GT(found["disk_write_mb_s"], 0);
}

TEST_F(Cli, doctor_says_where_plans_are_kept) {
  setenv("DACTYL_CACHE", path("plans").c_str(), 1);
  const auto none = run("doctor --json").json()["convolution_plans"];
  EXPECT_EQ(none["folder"], path("plans"));
  EXPECT_TRUE(none["files"].empty());
  std::filesystem::create_directories(path("plans"));
  write("plans/a.plans", "dactyl plans 1\nSome GPU\nengine 1, 2=3\t4.00\tsome problem\nsum 99f8917a3025b95d\n");
  write("plans/damaged.plans", "dactyl plans 1\nSome GPU\n");
  const auto one = run("doctor --json").json()["convolution_plans"];
  ASSERT_EQ(one["files"].size(), 1u) << one;
  EXPECT_EQ(one["files"][0]["machine"], "Some GPU");
  EXPECT_EQ(one["files"][0]["plans"], 1);
  EXPECT_NE(run("doctor").out.find("1 for Some GPU; in " + path("plans")), std::string::npos);
  setenv("DACTYL_CACHE", "off", 1);
  EXPECT_EQ(run("doctor --json").json()["convolution_plans"]["folder"], "");
  unsetenv("DACTYL_CACHE");
}

TEST_F(Cli, check_graph_is_for_gpus_and_leaves_nothing_behind) {
  ASSERT_EQ(run("data synth --classes 2 --per-class 8 --size 48 --out pictures").code, 0);
  const std::string train = "train --model googlenet-bn --input 32 --data pictures --stage all:5it@1e-3 --batch 4 ";
  expect_error(train + "--device cpu --check-graph 4", 2);
  EXPECT_NE(run(train + "--device cpu --check-graph 4").err.find("nothing was compared"), std::string::npos);
  for (const std::string more : {"--check-graph 2", "--check-graph x", "--check-graph 4 --graph off"})
    expect_error(train + "--device cpu " + more, 2);
  expect_error("train --resume nowhere --check-graph 4", 2);
  EXPECT_FALSE(std::filesystem::exists(path("runs")));
  if (run("doctor --json").json()["gpus"].empty()) GTEST_SKIP() << "no GPU here";
  const Said equal = run(train + "--device cuda --check-graph 4 --json");
  EXPECT_EQ(equal.code, 0) << equal.err;
  EXPECT_EQ(equal.json()["equal"], true);
  EXPECT_EQ(equal.json()["replayed"], 3);
  const Said strict =
      run("--version >/dev/null; DACTYL_STRICT=1 " DACTYL_PROGRAM " " + train + "--device cuda --check-graph 4");
  EXPECT_EQ(strict.code, 5) << strict.err;
  EXPECT_NE(strict.err.find("no step was replayed"), std::string::npos) << strict.err;
  EXPECT_FALSE(std::filesystem::exists(path("runs")));
}

TEST_F(Cli, tune_is_for_gpus) {
  expect_error("tune --model googlenet --device cpu", 2);
  EXPECT_NE(text_of(path("stderr.txt")).find("plans are for GPUs"), std::string::npos);
  expect_error("tune --model lenet --device cpu", 2);
  expect_error("tune", 2);
  expect_error("tune --model googlenet --batch 0", 2);
  if (run("doctor --json").json()["gpus"].empty()) GTEST_SKIP() << "no GPU here";
  setenv("DACTYL_CACHE", path("plans").c_str(), 1);
  const auto first = run("tune --model alexnet --batch 4 --precision bf16 --train --json").json();
  const auto second = run("tune --model alexnet --batch 4 --precision bf16 --train --json").json();
  unsetenv("DACTYL_CACHE");
  EXPECT_GE(first["searched"], 14) << first;  // 5 layers: forward, gradients of w and, but for the stem's, of x
  EXPECT_EQ(second["searched"], 0) << second;
  EXPECT_EQ(second["remembered"], first["searched"]);
  EXPECT_EQ(second["searching_s"], 0) << second;
}

TEST_F(Cli, check_passes_for_every_operation) {
  const Said said = run("check --json");
  EXPECT_EQ(said.code, 0) << said.err;
  EXPECT_GE(said.json().size(), 15u);
  for (const auto& row : said.json()) EXPECT_TRUE(row["passed"]) << row;
}

}  // namespace
}  // namespace dactyl
