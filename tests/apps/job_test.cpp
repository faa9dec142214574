// The whole job from outside: pictures, a short training, figures, predictions.
#include "tests/apps/program.h"

namespace dactyl {
namespace {

class Job : public Program {
 protected:
  void SetUp() override {
    ASSERT_EQ(run("data synth --classes 3 --per-class 8 --size 48 --out pictures").code, 0);
    const Said said =
        run("train --model googlenet-bn --input 32 --data pictures --split 0.75 --stage all:4it@1e-3 --batch 6 "
            "--device cpu --seed 3 --out run");
    ASSERT_EQ(said.code, 0) << said.err;
  }
};

TEST_F(Job, run_folder_is_complete) {
  for (const std::string file : {"config.toml", "command.txt", "env.json", "log.txt", "train.csv", "val.csv",
                                 "labels.json", "splits.json", "best.safetensors", "last.safetensors", "last.state"})
    EXPECT_TRUE(std::filesystem::exists(path("run/" + file))) << file;
  const std::string csv = text_of(path("run/train.csv"));
  EXPECT_EQ(csv.substr(0, csv.find('\n')), "step,loss,accuracy,rate,samples_per_s,wait,memory");
  EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), 5);
}

TEST_F(Job, eval_of_the_run_takes_its_test_pictures) {
  const Said said = run("eval --run run --device cpu --json");
  ASSERT_EQ(said.code, 0) << said.err;
  const auto result = said.json();
  EXPECT_EQ(result["samples"], 6);  // a quarter of 24
  for (const char* key : {"top1", "top5", "macro_f1", "weighted_f1", "macro_f1_top10", "macro_f1_top20"}) {
    EXPECT_GE(result[key], 0) << key;
    EXPECT_LE(result[key], 1) << key;
  }
  EXPECT_EQ(result["top5"], 1);  // of three classes
  EXPECT_LT(result["top1_interval"][0], result["top1_interval"][1]);
  for (const char* file : {"metrics.json", "logits.csv", "f1_top10.csv", "f1_top10.gp"})
    EXPECT_TRUE(std::filesystem::exists(path("run/eval/" + std::string(file)))) << file;
  EXPECT_FALSE(std::filesystem::exists(path("run/eval/f1_top20.gp")));  // there are three classes
  const std::string logits = text_of(path("run/eval/logits.csv"));
  EXPECT_EQ(logits.rfind("name,label,A,B,C\n", 0), 0u);
  EXPECT_EQ(std::count(logits.begin(), logits.end(), '\n'), 7);
  EXPECT_EQ(run("eval --run run --part all --device cpu --json").json()["samples"], 24);
  EXPECT_EQ(run("eval --run run --data pictures --device cpu --json").json()["samples"], 24);
}

TEST_F(Job, classes_left_out_are_left_out_in_eval_too) {
  for (const char* number : {"1", "2", "3", "4"}) {
    ASSERT_EQ(run("data synth --classes 2 --per-class 1 --size 48 --seed " + std::string(number) + " --out more").code,
              0);
    std::filesystem::rename(path("more/A/hand00_0001.jpg"), path("pictures/A/" + std::string(number) + ".jpg"));
    std::filesystem::remove_all(path("more"));
  }
  std::filesystem::remove(path("pictures/B/hand03_0001.jpg"));  // A 12, B 7, C 8
  const std::string few =
      "train --model googlenet-bn --input 32 --data pictures --stage all:1it@1e-3 --batch 6 "
      "--device cpu --top-classes 2 --min-per-class ";
  ASSERT_EQ(run(few + "3 --out two").code, 0);
  EXPECT_EQ(nlohmann::json::parse(text_of(path("two/labels.json"))), (nlohmann::json{{"A", 0}, {"C", 1}}));
  EXPECT_EQ(run("eval --run two --part all --device cpu --json").json()["samples"], 20);
  EXPECT_EQ(run("eval --run two --data pictures --device cpu --json").json()["samples"], 20);
  const auto resumed = run("train --resume two --json").json();
  EXPECT_TRUE(resumed.contains("top1"));
  EXPECT_EQ(resumed["data"]["verdict"], "");
  expect_error("train --resume two --top-classes 3", 2);
  expect_error(few + "9 --out one", 3);  // one class alone cannot be told from anything
  expect_error(few + "13 --out none", 3);
  expect_error(few + "0 --out none", 2);
}

TEST_F(Job, predict_gives_a_line_per_file_and_names_the_bad_ones) {
  write("bad.jpg", "not a picture");
  const Said said =
      run("predict --run run --device cpu --json --topk 2 pictures/A bad.jpg missing.jpg pictures/B/*_0002.jpg");
  EXPECT_EQ(said.code, 3);
  std::istringstream lines(said.out);
  int good = 0, bad = 0;
  for (std::string line; std::getline(lines, line);) {
    const auto result = nlohmann::json::parse(line);
    if (result.contains("error")) {
      ++bad;
      continue;
    }
    ++good;
    ASSERT_EQ(result["top"].size(), 2u);
    EXPECT_GE(result["top"][0]["p"], result["top"][1]["p"]);
    EXPECT_GE(result["top"][0]["logit"], result["top"][1]["logit"]);
  }
  EXPECT_EQ(good, 9);  // eight of A, one of B
  EXPECT_EQ(bad, 2);
}

TEST_F(Job, what_cannot_be_opened_is_one_bad_file_among_others) {
  std::filesystem::create_symlink("loop.jpg", path("loop.jpg"));
  std::filesystem::create_directories(path("some/below"));
  std::filesystem::create_symlink("loop.jpg", path("some/below/loop.jpg"));
  std::filesystem::copy_file(path("pictures/A/hand00_0001.jpg"), path("some/a\nb.jpg"));
  const Said said = run("predict --run run --device cpu loop.jpg some");
  EXPECT_EQ(said.code, 3);
  EXPECT_NE(said.out.find("some/a\\x0ab.jpg\n"), std::string::npos) << said.out;
  EXPECT_NE(said.err.find("2 of 3 files could not be read"), std::string::npos) << said.err;
  const std::string model = "predict --model googlenet-bn --device cpu pictures/A --weights run/best.safetensors ";
  expect_error("predict --model googlenet-bn --weights loop.jpg pictures/A", 65);
  write("empty.txt", "");
  for (const std::string list : {"pictures", "/dev/null", "empty.txt", "none.txt"})
    expect_error(model + "--labels " + list, 3);
}

TEST_F(Job, eval_keeps_its_figures_whatever_happens_to_the_report) {
  write("file", "in the way");
  const Said early = run("eval --run run --device cpu --out file");  // said before the work
  EXPECT_EQ(early.code, 3);
  EXPECT_EQ(early.err.find("file: cannot be made"), 8u) << early.err;
  EXPECT_EQ(early.out, "");
  std::filesystem::remove_all(path("run/eval"));
  std::filesystem::create_directories(path("run/eval/metrics.json/in/the/way"));
  const Said late = run("eval --run run --device cpu --json");
  EXPECT_EQ(late.code, 3);
  EXPECT_EQ(late.json()["samples"], 6) << late.err;
}

TEST_F(Job, eval_takes_a_model_file_as_predict_does) {
  const Said said = run("eval --run run/best.safetensors --data pictures --device cpu --json");
  ASSERT_EQ(said.code, 0) << said.err;
  EXPECT_EQ(said.json()["samples"], 24);
  expect_error("eval --run run/best.safetensors --device cpu", 2);  // whose pictures?
  expect_error("eval --run run --splits pictures --device cpu", 3);
}

TEST_F(Job, weights_are_stored_in_half_the_bytes) {
  const std::string best = "--model googlenet-bn --weights run/best.safetensors";
  const Said wide = run("convert " + best + " --out wide.safetensors"),
             narrow = run("convert " + best + " --bf16 --licence MIT --origin 'made here' --out narrow.safetensors");
  ASSERT_EQ(wide.code + narrow.code, 0) << wide.err << narrow.err;
  const double bytes = static_cast<double>(std::filesystem::file_size(path("wide.safetensors")));
  EXPECT_LT(static_cast<double>(std::filesystem::file_size(path("narrow.safetensors"))), 0.52 * bytes);
  const std::string file = text_of(path("narrow.safetensors"));
  for (const char* note : {R"("dactyl.passport.licence":"MIT")", R"("dactyl.passport.origin":"made here")"})
    EXPECT_NE(file.find(note), std::string::npos) << note;
  const auto share = [&](const std::string& file) {
    const Said said =
        run("predict --model googlenet-bn --weights " + file + " pictures/A/hand00_0001.jpg --device cpu --json");
    EXPECT_EQ(said.code, 0) << said.err;
    return said.json()["top"][0]["p"].get<double>();
  };
  EXPECT_NEAR(share("narrow.safetensors"), share("wide.safetensors"), 0.02);
}

TEST_F(Job, hands_are_learned_from_shapes_that_are_no_letters) {
  EXPECT_EQ(run("data synth --kind shapes --classes 2 --per-class 1 --size 32 --out shapes").code, 0);
  EXPECT_TRUE(std::filesystem::exists(path("shapes/shape02/hand03_0001.jpg")));
  expect_error("data synth --kind letters --classes 27 --out more", 2);
}

TEST_F(Job, half_precision_and_batches_change_little) {
  const auto top = [&](const std::string& how) {
    return run("predict --run run --device cpu --json pictures/C/hand00_0001.jpg " + how).json()["top"];
  };
  const auto full = top(""), narrow = top("--precision bf16");
  std::map<int, double> logits;
  for (const auto& entry : full) logits[entry["index"]] = entry["logit"];
  for (const auto& entry : narrow) EXPECT_NEAR(entry["logit"], logits[entry["index"]], 0.15);
}

TEST_F(Job, a_run_goes_on_and_refuses_what_would_change_it) {
  EXPECT_EQ(run("train --resume run").code, 0);
  expect_error("train --resume run --batch 4", 2);
  expect_error("train --resume nowhere", 2);
  expect_error("predict --run nowhere pictures", 65);
}

}  // namespace
}  // namespace dactyl
