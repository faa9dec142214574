// dactyl fuse from outside: tables of scores in, figures out.
#include <cmath>
#include <random>

#include "tests/apps/program.h"

namespace dactyl {
namespace {

// Reports of streams over three classes: folder/logits.csv.
class Fuse : public Program {
 protected:
  // `knows` favours the truth of a class; samples whose number is in `without` are missing.
  void report(const std::string& folder, unsigned seed, const std::vector<double>& knows, int samples = 90,
              const std::string& prefix = "videos/", const std::vector<int>& without = {}) const {
    const std::vector<std::string> labels{"yes", "no", "may,be"};
    std::mt19937 random(seed);
    std::normal_distribution<double> noise;
    std::string csv = "name,label,yes,no,\"may,be\"\n";
    for (int i = 0; i < samples; ++i) {
      const std::size_t truth = static_cast<std::size_t>(i % 3);
      std::string row = prefix + std::to_string(i) + ".mp4," + (truth == 2 ? "\"may,be\"" : labels[truth]);
      for (std::size_t c = 0; c < 3; ++c) row += "," + std::to_string(noise(random) + (c == truth ? knows[truth] : 0));
      if (std::find(without.begin(), without.end(), i) == without.end()) csv += row + "\n";
    }
    std::filesystem::create_directories(path(folder));
    write(folder + "/logits.csv", csv);
  }
  void SetUp() override {
    report("runs/rgb/eval", 1, {4, 4, 0});
    report("runs/flow/eval", 2, {0, 0, 4});
    report("runs/noise/eval", 3, {0, 0, 0});
  }
};

TEST_F(Fuse, all_combinations_with_intervals_and_weights) {
  const Said said = run("fuse runs/rgb runs/flow/eval third=runs/noise/eval --json");
  ASSERT_EQ(said.code, 0) << said.err;
  const auto result = said.json();
  EXPECT_EQ(result["samples"], 90);
  EXPECT_EQ(result["streams"], nlohmann::json({"rgb", "flow", "third"}));
  EXPECT_EQ(result["fitted_on"], "halves");
  ASSERT_EQ(result["combinations"].size(), 7u);
  for (const auto& c : result["combinations"]) {
    double sum = 0;
    for (const auto& [name, weight] : c["weights"].items()) sum += weight.get<double>();
    EXPECT_NEAR(sum, 1, 1e-9) << c;
    EXPECT_LT(c["top1_interval"][0], c["top1"]);
    for (const char* key : {"top1", "macro_f1", "weighted_f1"}) {
      EXPECT_TRUE(c.contains(key) && c["equal"].contains(key)) << key;
    }
  }
  const auto& both = result["combinations"][3];
  EXPECT_EQ(both["streams"], nlohmann::json({"rgb", "flow"}));
  EXPECT_GT(both["top1"], result["combinations"][0]["top1"]);
  EXPECT_EQ(both["weights_by_half"].size(), 2u);
  EXPECT_LT(result["combinations"][6]["weights"]["third"], 0.1);
  EXPECT_EQ(result["best_single"], "rgb");
  EXPECT_LT(result["gain"]["interval"][0], result["gain"]["interval"][1]);
  const Said text = run("fuse runs/rgb runs/flow");
  EXPECT_NE(text.out.find("all streams less the best single one, rgb: +"), std::string::npos) << text.out;
}

TEST_F(Fuse, weights_come_from_other_samples_where_they_are_given) {
  report("fit/a", 4, {4, 4, 0}, 60, "training/");
  report("fit/b", 5, {0, 0, 4}, 60, "training/");
  const auto unnamed = run("fuse runs/rgb runs/flow --fit fit/a fit/b --json").json();
  EXPECT_EQ(unnamed["fitted_on"], "fit");
  EXPECT_EQ(unnamed["fit_samples"], 60);
  EXPECT_FALSE(unnamed["combinations"][2].contains("weights_by_half"));
  EXPECT_EQ(run("fuse runs/rgb runs/flow --fit flow=fit/b rgb=fit/a --json").json(), unnamed);
  expect_error("fuse runs/rgb runs/flow --fit runs/rgb runs/flow", 3);  // those are reported
  expect_error("fuse runs/rgb runs/flow --fit fit/a", 2);
  expect_error("fuse runs/rgb runs/flow --fit rgb=fit/a wrong=fit/b", 2);
}

TEST_F(Fuse, leaves_a_table_or_a_folder) {
  const Said said = run("fuse runs/rgb runs/flow --out table.csv");
  ASSERT_EQ(said.code, 0) << said.err;
  const std::string table = text_of(path("table.csv"));
  EXPECT_EQ(table.rfind("streams,samples,accuracy,accuracy_low,", 0), 0u);
  EXPECT_EQ(std::count(table.begin(), table.end(), '\n'), 4);
  EXPECT_NE(table.find("\nrgb + flow,90,"), std::string::npos) << table;
  ASSERT_EQ(run("fuse runs/rgb runs/flow --out both").code, 0);
  EXPECT_EQ(text_of(path("both/fusion.csv")), table);
  const auto json = nlohmann::json::parse(text_of(path("both/fusion.json")));
  const auto metrics = nlohmann::json::parse(text_of(path("both/metrics.json")));
  EXPECT_EQ(metrics["top1"], json["combinations"][2]["top1"]);
  EXPECT_EQ(run("fuse both --json").json()["combinations"][0]["top1"], metrics["top1"]);  // a fusion is a stream
}

TEST_F(Fuse, samples_that_a_stream_lacks_are_said_and_counted) {
  report("short", 2, {0, 0, 4}, 90, "videos/", {5, 7, 11});
  const Said said = run("fuse runs/rgb short --json");
  EXPECT_EQ(said.json()["samples"], 87);
  EXPECT_EQ(said.json()["left_out"][0],
            nlohmann::json({{"stream", "short"}, {"samples", 3}, {"example", "videos/11.mp4"}}));
  EXPECT_NE(said.err.find("left out: 3 samples that short lacks, the first: videos/11.mp4"), std::string::npos);
  report("moved", 2, {0, 0, 4}, 90, "/elsewhere/");
  EXPECT_EQ(run("fuse runs/rgb moved --json").json()["samples"], 90);
}

TEST_F(Fuse, misuse_is_one_line) {
  expect_error("fuse", 2);
  expect_error("fuse runs/rgb runs/rgb", 2);  // one name for two
  expect_error("fuse a=runs/rgb =runs/flow", 2);
  expect_error("fuse runs/rgb nowhere", 3);
  expect_error("fuse runs/rgb runs", 3);  // no logits.csv
  write("none.csv", "path,label\nx,y\n");
  expect_error("fuse runs/rgb none.csv", 3);
  write("other.csv", "name,label,yes,no,never\nvideos/0.mp4,yes,1,0,0\n");
  expect_error("fuse runs/rgb other=other.csv", 3);
  write("truth.csv", "name,label,yes,no,\"may,be\"\nvideos/0.mp4,no,1,0,0\n");
  expect_error("fuse runs/rgb other=truth.csv", 3);
}

}  // namespace
}  // namespace dactyl
