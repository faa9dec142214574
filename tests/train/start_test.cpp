// What keeps a training from starting or going on: said at once, and nothing is written that would be in the way.
#include "tests/train/pictures.h"
#include "tests/train/tiny.h"
#include "train/settings.h"

namespace dactyl {
namespace {

class Start : public testing::Test {
 protected:
  Start() {
    o.model = "tiny";
    o.device = "cpu";
    o.data = (folder.path / "data").string();
    o.out = folder / "run";
    o.stages = {parse_stage("all:1it@0.1")};
    for (const char* name : {"data/a/1.png", "data/a/2.png", "data/b/1.png", "data/b/2.png"})
      write_png(folder / name, smooth_picture(12, 12));
  }

  // The files a stopped run of the tiny net leaves.
  void leave_a_run() const {
    const RunFolder run(o.out, false);
    const std::shared_ptr<const DataSource> source = open_source(o.data);
    run.write_labels(source->labels());
    write_split(run / "splits.json", *source, split_by_share(*source, 0.5, 1));
    const Model net = tiny::model();
    write_state(run / "last.state", {.step = 1}, *net.parameters, nullptr, passport_of(net, source->labels(), "test"));
  }

  void expect(Exit exit, bool resume, const std::string& words) const {
    const std::string text = error_text(exit, [&] { train(o, resume); });
    EXPECT_NE(text.find(words), text.npos) << "'" << text << "' does not say '" << words << "'";
  }

  TempFolder folder;
  TrainOptions o;
};

TEST_F(Start, names_samples_that_are_gone_since_the_run_was_stopped) {
  leave_a_run();
  std::filesystem::remove(folder / "data/b/1.png");
  expect(Exit::data, true, "1 of its 4 samples are gone from the data, the first: b/1.png");
}

TEST_F(Start, goes_on_with_the_net_of_the_run_alone) {
  leave_a_run();
  o.model = "googlenet-bn";
  expect(Exit::model_file, true, "is the state of a tiny, config.toml says googlenet-bn");
}

TEST_F(Start, never_starts_over_what_has_results) {
  for (const std::string name : {"best.safetensors", "last.safetensors", "train.csv"}) {
    write_text(folder / ("run/" + name), "step,loss\n1,0.5\n");
    for (const bool resume : {true, false}) expect(Exit::data, resume, "holds " + name + " of a run, but last.state");
    std::filesystem::remove_all(o.out);
  }
  write_text(folder / "run/train.csv", "step,loss\n");  // stopped before the first state
  EXPECT_NO_THROW(RunFolder(o.out, true));
}

TEST_F(Start, needs_two_classes) {
  std::filesystem::remove_all(folder / "data/b");
  expect(Exit::data, false, "all 1 training samples are of the class 'a'");
  EXPECT_FALSE(std::filesystem::exists(o.out + "/config.toml"));
}

TEST_F(Start, reads_the_file_of_labels_before_it_writes) {
  o.no_mirror = (folder.path / "nofile").string();
  expect(Exit::data, false, "nofile: cannot be read");
  o.no_mirror = "/";
  expect(Exit::data, false, "--no-mirror /: cannot be read");
  EXPECT_FALSE(std::filesystem::exists(o.out));
  o.no_mirror = folder / "labels";
  write_text(o.no_mirror, "a\nc\n");
  expect(Exit::data, false, "no class is called 'c'");
  EXPECT_FALSE(std::filesystem::exists(o.out + "/config.toml"));
}

TEST_F(Start, refuses_numbers_out_of_range) {
  const auto refused = [&](const std::string& name, const std::string& value) {
    TrainOptions bad = o;
    for (const Setting& s : train_settings())
      if (s.name == name) s.set(bad, {value});
    EXPECT_NE(error_text(Exit::usage, [&] { check_options(bad); }).find("--" + name), std::string::npos)
        << name << " " << value;
  };
  for (const auto& [name, values] :
       std::vector<std::pair<std::string, std::vector<std::string>>>{{"threads", {"-1", "257", "1000000"}},
                                                                     {"dropout", {"-5", "1", "nan", "inf"}},
                                                                     {"bad-limit", {"-1", "5", "nan", "inf"}},
                                                                     {"picture-memory", {"-1", "99999999"}},
                                                                     {"decay", {"-1", "inf", "nan"}},
                                                                     {"head-lr-mult", {"-1", "inf", "nan"}},
                                                                     {"momentum", {"1", "nan"}},
                                                                     {"stage", {"all:1it@1e30"}}})
    for (const std::string& value : values) refused(name, value);
  EXPECT_NO_THROW(check_options(o));
}

}  // namespace
}  // namespace dactyl
