// dactyl bench and profile as users call them, on the CPU and briefly.
#include <map>
#include <set>

#include "tests/apps/program.h"

namespace dactyl {
namespace {

using Bench = Program;

const std::string small = " alexnet-torchvision --input 63 --classes 4 --batch 1 --device cpu --seconds 0 ";

TEST_F(Bench, model_says_its_figures_and_where_they_are_from) {
  for (const std::string train : {"", "--train"}) {
    const auto row = run("bench model" + small + train + " --json --check").json();
    EXPECT_EQ(row["training"], train == "--train");
    EXPECT_GT(row["median_ms"], 0);
    EXPECT_LE(row["p10_ms"], row["median_ms"]);
    EXPECT_LE(row["median_ms"], row["p90_ms"]);
    EXPECT_EQ(row["ms"].size(), row["runs"]);
    EXPECT_NEAR(row["samples_per_s"].get<double>(), 1e3 / row["median_ms"].get<double>(),
                1e-3 * row["samples_per_s"].get<double>());
    EXPECT_LT(row["error_fp32"], 1e-4);
    EXPECT_GT(row["roof_percent"], 0);
    EXPECT_GT(row["peak_bytes"], 200e6);  // the net has 57 million weights at this size
    for (const char* key : {"device", "date", "command", "libraries", "first_ms", "flops"})
      EXPECT_TRUE(row.contains(key)) << key;
  }
}

TEST_F(Bench, layers_of_a_model_can_be_replayed) {
  const auto row = run("bench model" + small + "--layers --json").json();
  std::string line;
  for (const auto& layer : row["layers"])
    if (layer["op"] == "conv" && line.empty()) line = layer["descriptor"];
  ASSERT_EQ(line, "conv2d x=1x63x63x3 k=11x11 s=4 p=2 out=64 bias relu fp32");
  std::istringstream lines(run("bench layer \"" + line + "\" --impl all --check --device cpu --seconds 0 --json").out);
  int count = 0;
  for (std::string text; std::getline(lines, text); ++count) {
    const auto replayed = nlohmann::json::parse(text);
    EXPECT_EQ(replayed["descriptor"], line);
    if (replayed["impl"] != "reference") {
      ASSERT_TRUE(replayed.contains("error") || replayed.contains("not")) << text;
      EXPECT_LT(replayed.value("error", 0.0), 1e-5);
    }
  }
  EXPECT_EQ(count, 3);
}

TEST_F(Bench, layers_are_taken_one_after_the_other) {
  write("layers.txt",
        "conv2d x=2x9x9x8 k=3 p=1 out=8\n\n"
        "pass=weights,data conv2d x=2x9x9x8 k=1 out=4\n"
        "max_pool2d x=1x8x8x8 k=2 s=2 pass=weights\n"
        "max_pool2d x=1x8x8x8 k=2 s=2\n");
  const std::string more = " --pass all --device cpu --seconds 0 --json";
  const Said file = run("bench layer --from layers.txt" + more), piped = run("bench layer --from - <layers.txt" + more);
  EXPECT_EQ(file.code, 0) << file.err;
  for (const Said& said : {file, piped}) {
    std::string passes;
    std::istringstream lines(said.out);
    for (std::string text; std::getline(lines, text);) {
      const auto row = nlohmann::json::parse(text);
      passes += row["pass"].get<std::string>() + (row.contains("not") ? "! " : " ");
      EXPECT_GT(row.value("matrix_roof_flops_per_s", 1.0), 0);
    }
    EXPECT_EQ(passes, "forward data weights weights data weights! forward data ");
  }
  write("wrong.txt", "conv2d x=2x9x9x8 k=1 out=4\nconv2d x=2x9x9 k=1\n");
  const Said wrong = run("bench layer --from wrong.txt --device cpu --seconds 0 --json");
  EXPECT_EQ(wrong.code, 2);
  EXPECT_NE(wrong.err.find("wrong.txt: line 2: "), std::string::npos) << wrong.err;
  EXPECT_EQ(std::count(wrong.out.begin(), wrong.out.end(), '\n'), 1) << "the line before it was done";
  expect_error("bench layer --from nowhere.txt --device cpu", 3);
  for (const std::string misuse : {"bench layer", "bench layer \"lrn x=1x8x8x8\" --from layers.txt",
                                   "bench layer \"lrn x=1x8x8x8\" --device cpu --pass sideways"})
    expect_error(misuse, 2);
}

TEST_F(Bench, doctor_finds_no_conversion_of_layouts) {
  for (const char* net : {"alexnet-torchvision --input 63", "googlenet-bn --input 64", "i3d --input 32 --frames 9"}) {
    const Said said = run(std::string("bench doctor ") + net + " --classes 4 --batch 1 --device cpu --json");
    EXPECT_EQ(said.code, 0) << said.err << said.out;
    for (const auto& row : said.json()) EXPECT_EQ(row["layout_conversions"], 0) << row;
  }
  EXPECT_NE(run("bench doctor mobilenet-0.25 --input 32 --device cpu").out.find("layout conversions"),
            std::string::npos);
}

TEST_F(Bench, ops_roofs_and_profile_speak) {
  EXPECT_GT(run("bench roofs --device cpu --json").json()["copy_bytes_per_s"], 1e8);
  const Said op = run("bench op cross_entropy --device cpu --seconds 0");
  EXPECT_EQ(op.code, 0) << op.err;
  EXPECT_NE(op.out.find("% of the copy roof"), std::string::npos) << op.out;
  const auto profile = run("profile model" + small + "--train --json").json();
  double share = 0;
  for (const auto& row : profile["operations"]) share += row["share"].get<double>();
  EXPECT_NEAR(share, 1, 1e-6);
  EXPECT_EQ(profile["operations"][0]["calls"].is_number_integer(), true);
}

TEST_F(Bench, data_counts_samples) {
  ASSERT_EQ(run("data synth --classes 2 --per-class 3 --size 64 --out photos").code, 0);
  const auto row = run("bench data photos --batch 2 --seconds 0.3 --device cpu --json").json();
  EXPECT_GT(row["samples"], 0);
  for (const char* stage : {"reading", "decoding", "resizing"}) EXPECT_GT(row["ms_per_sample"][stage], 0) << stage;
  EXPECT_GT(row["ms_per_sample_together"]["copying"], 0);
  EXPECT_GT(row["next"].get<std::string>().size(), 0u);
  const Said said = run("bench data photos --batch 2 --seconds 0 --device cpu --threads 1");
  EXPECT_NE(said.out.find(" ms that a sample costs the one thread that reads; "), std::string::npos) << said.out;
  const auto brief = run("bench data photos --batch 2 --seconds 0 --device cpu --json").json();
  EXPECT_EQ(brief["runs"], 1);
  EXPECT_GT(brief["samples_per_s"], 0);
  EXPECT_EQ(brief["decoder"], "cpu");
  expect_error("bench data nowhere", 3);
  const Said gpu = run("bench data photos --decode gpu --device cpu");
  EXPECT_EQ(gpu.code, 2);
  EXPECT_NE(gpu.err.find("--decode gpu: "), std::string::npos) << gpu.err;
  EXPECT_EQ(run("bench data photos --decode tpu --device cpu").code, 2);
}

// Else two files of other work would be compared as if they were of the same.
TEST_F(Bench, keys_tell_work_apart) {
  const std::string net = "bench model alexnet-torchvision --device cpu --seconds 0 --json ";
  std::set<std::string> keys;
  for (const std::string more : {"--input 63", "--input 64x63", "--input 63 --train", "--input 63 --train --opt adam",
                                 "--input 63 --batch 2", "--input 63 --classes 5"})
    keys.insert(run(net + more).json()["key"].get<std::string>());
  EXPECT_EQ(keys.size(), 6u);
}

// The way back of the net's first layer makes no gradient of the picture, and is not credited with one.
TEST_F(Bench, the_first_layer_has_one_gradient) {
  const auto row = run("bench model" + small + "--train --layers --json").json();
  std::map<std::string, double> bound;  // milliseconds by pass, of the first convolution
  std::string first;
  for (const auto& layer : row["layers"]) {
    if (layer["op"] != "conv") continue;
    if (first.empty()) first = layer["layer"];
    if (layer["layer"] == first) bound[layer["pass"]] = layer["roof_percent"].get<double>() * layer["ms"].get<double>();
  }
  ASSERT_EQ(bound.size(), 2u) << row["layers"].dump();
  EXPECT_LT(bound["backward"], 1.5 * bound["forward"]);
}

TEST_F(Bench, compare_tells_slower_from_equal_by_exit_code) {
  const auto file = [&](const std::string& name, double middle) {
    std::string text = R"({"key":"work","ms":[)";
    for (int i = 0; i < 60; ++i) text += (i ? "," : "") + std::to_string(middle + 0.01 * (i * 7 % 11));
    write(name, text + "]}\n");
  };
  file("a.json", 1);
  file("b.json", 1.2);
  EXPECT_EQ(run("bench compare a.json a.json").code, 0);
  EXPECT_EQ(run("bench compare b.json a.json --json").json()[0]["verdict"], "faster");
  const Said slower = run("bench compare a.json b.json --json");
  EXPECT_EQ(slower.code, 5);
  EXPECT_EQ(slower.json()[0]["verdict"], "slower");
  EXPECT_NEAR(slower.json()[0]["ratio"].get<double>(), 1.25 / 1.05, 0.02);
  write("other.json", R"({"key":"other","ms":[1]})");
  write("junk.json", "{}");
  expect_error("bench compare a.json junk.json", 3);
  write("cut.json", R"({"key":"work","ms":[1]})"
                    "\n\n"
                    R"({"key":"work","ms":[1,)");
  EXPECT_NE(run("bench compare a.json cut.json").err.find("cut.json: line 3"), std::string::npos);
  expect_error("bench compare a.json missing.json", 3);
  EXPECT_EQ(run("bench compare a.json other.json").code, 3);
}

TEST_F(Bench, compare_does_not_judge_a_few_runs) {
  write("quick.json", R"({"key":"work","ms":[1,1,1,1,1]})");
  write("slow.json", R"({"key":"work","ms":[2,2,2,2]})");
  write("slower.json", R"({"key":"work","ms":[2,2,2,2,2]})");
  const Said few = run("bench compare quick.json slow.json --json");
  EXPECT_EQ(few.code, 0) << few.err;
  EXPECT_EQ(few.json()[0]["verdict"], "too few runs to tell");
  EXPECT_EQ(run("bench compare quick.json slower.json").code, 5);
}

TEST_F(Bench, compare_says_what_is_not_comparable) {
  const std::string one = R"({"key":"one","ms":[1],"device":"A","threads":1})", two = R"({"key":"two","ms":[1]})";
  write("both.json", one + "\n" + two);
  write("one.json", R"({"key":"one","ms":[1],"device":"B","threads":1})");
  const Said said = run("bench compare both.json one.json");
  EXPECT_EQ(said.code, 0);
  EXPECT_EQ(said.err, "other device: \"A\" in both.json, \"B\" in one.json\nnot in one.json: two\n");
  write("twice.json", one + "\n" + one);
  expect_error("bench compare twice.json one.json", 3);
  write("failed.json", R"({"key":"other","not":"no such way"})"
                       "\n" +
                           one);
  EXPECT_EQ(run("bench compare failed.json failed.json").code, 0);
  write("huge.json", R"({"key":"one","ms":[1e308]})");
  expect_error("bench compare one.json huge.json", 3);
}

TEST_F(Bench, lists_without_a_layer_are_refused) {
  write("empty.txt", "\n\n");
  expect_error("bench layer --from empty.txt", 3);
  expect_error("bench layer --from .", 3);
}

TEST_F(Bench, ladders_are_checked_rung_by_rung_without_a_gpu) {
  std::istringstream lines(run("bench ladder --device cpu --json").out);
  std::map<std::string, int> rungs;
  for (std::string text; std::getline(lines, text);) {
    const auto row = nlohmann::json::parse(text);
    EXPECT_LE(row["error"], 4e-3) << text;
    EXPECT_FALSE(row.contains("median_ms")) << "a time of simulated threads says nothing";
    ++rungs[row["ladder"]];
  }
  EXPECT_EQ(rungs, (std::map<std::string, int>{{"conv3d", 7}, {"max_pool3d", 6}, {"batch_norm3d", 6}}));
  const Said table = run("bench ladder max_pool3d --device cpu");
  EXPECT_EQ(table.code, 0) << table.err;
  EXPECT_NE(table.out.find("two numbers per word"), std::string::npos) << table.out;
  expect_error("bench ladder --device cuda:99", 2);
}

TEST_F(Bench, misuse_is_one_line_and_exit_2) {
  for (const std::string wrong :
       {"bench", "bench model", "bench model lenet", "bench model googlenet --batch 0",
        "bench model googlenet --graph maybe", "bench model googlenet --frames 20", "bench layer \"conv2d x=1x8x8x3\"",
        "bench op tanh", "bench ladder conv2d", "bench layer \"lrn x=1x8x8x8\" --impl library --device cpu",
        "bench layer \"batch_norm x=1x1x1x8\"", "bench layer \"max_pool2d x=1x8x8x8 k=3 p=3\"", "profile",
        "bench layer \"max_pool2d x=1x5x5x3 k=1000000000 p=0:999999996\"",
        "bench layer \"mean_pool2d x=1x5x5x3 k=5000000000 p=0:4999999996\"", "bench layer \"lrn x=2x16\" --seconds nan",
        "bench compare a.json"})
    expect_error(wrong, 2);
}

}  // namespace
}  // namespace dactyl
