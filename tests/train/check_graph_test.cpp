// Steps with a graph and without: equal, or the first difference is named; and what is said where a graph cannot be
// had.
#include "train/check_graph.h"

#include <gtest/gtest.h>

#include "tests/train/pictures.h"
#include "tests/train/tiny.h"

namespace dactyl {
namespace {

// The tiny net twice on the current device, from the same start.
struct Pair {
  TrainOptions eager_options, graphed_options;
  tiny::Colours data{30}, validation{12};
  Model eager = tiny::model(), graphed = tiny::model();

  Pair()
      : eager_options(tiny::options(tiny::folder("eager"))), graphed_options(tiny::options(tiny::folder("graphed"))) {
    eager_options.graph = false;
    for (Model* m : {&eager, &graphed}) m->to(Context::current().device());
  }
  ~Pair() {
    for (const TrainOptions* o : {&eager_options, &graphed_options}) std::filesystem::remove_all(o->out);
  }

  GraphCheck compare(i64 steps) {
    Subject a{eager, data, validation, passport_of(eager, data.labels(), "test")};
    Subject b{graphed, data, validation, passport_of(graphed, data.labels(), "test")};
    const RunFolder run_a(eager_options.out, false), run_b(graphed_options.out, false);
    const Log log_a(run_a / "log.txt", false), log_b(run_b / "log.txt", false);
    Training first(a, eager_options, run_a, log_a), second(b, graphed_options, run_b, log_b);
    return compare_steps(first, a, second, b, steps);
  }
};

i64 lines_with(const std::string& text, const std::string& words) {
  i64 count = 0;
  for (std::size_t at = text.find(words); at != text.npos; at = text.find(words, at + 1)) ++count;
  return count;
}

TEST(CheckGraph, two_trainings_of_one_start_stay_equal) {
  for (const char* kind : {"sgd", "adam"}) {
    Pair pair;
    pair.eager_options.optimizer.kind = pair.graphed_options.optimizer.kind = kind;
    const GraphCheck c = pair.compare(100);
    EXPECT_TRUE(c.equal()) << to_text(c);
    EXPECT_EQ(c.steps, 5 * 7) << "the whole plan, both its stages";
    const i64 numbers = 8 * 3 * 3 * 3 + 3 * 8 + 3, states = kind[0] == 's' ? 1 : 2;
    EXPECT_EQ(c.numbers, numbers * (1 + states) + (states == 2)) << kind;
    EXPECT_GT(c.loss, 0);
    EXPECT_FALSE(c.good()) << "nothing is replayed on the CPU";
    EXPECT_NE(to_text(c).find("nothing was checked"), std::string::npos) << to_text(c);
  }
}

TEST(CheckGraph, names_the_first_difference) {
  Pair pair;
  pair.graphed_options.stages = pair.eager_options.stages = {parse_stage("all:5it@0")};
  pair.graphed.parameters->find("fc.bias")->value.data<float>()[1] = 1e-30f;  // too little for the loss
  const GraphCheck c = pair.compare(5);
  EXPECT_EQ(c.what, "fc.bias");
  EXPECT_EQ(c.steps, 1);
  EXPECT_FLOAT_EQ(static_cast<float>(c.largest), 1e-30f);
  EXPECT_NE(to_text(c).find("first in step 1, in fc.bias"), std::string::npos) << to_text(c);
}

TEST(CheckGraph, names_the_state_that_differs) {
  Pair pair;
  pair.graphed_options.stages = {parse_stage("all:5it@0")};
  pair.eager_options.stages = pair.graphed_options.stages;
  pair.graphed_options.optimizer.decay = 0.5;  // at a rate of 0 the velocity alone can tell
  const GraphCheck c = pair.compare(5);
  EXPECT_EQ(c.what.rfind("velocity of ", 0), 0u) << c.what;
  EXPECT_GT(c.largest, 0);
}

TEST(CheckGraph, numbers_that_are_none_are_no_equality) {
  Pair pair;
  pair.eager_options.stages = pair.graphed_options.stages = {parse_stage("all:20it@1e30")};
  const std::string text = error_text(Exit::numerics, [&] { pair.compare(20); });
  EXPECT_NE(text.find("is NaN or infinite, with a graph as without"), std::string::npos) << text;
}

TEST(CheckGraph, needs_a_gpu_a_graph_and_three_steps) {
  TempFolder folder;
  TrainOptions o = tiny::options(folder / "run");
  o.data = folder / "data";
  for (const char* name : {"data/a/1.png", "data/b/1.png"}) write_png(folder / name, smooth_picture(12, 12));
  const auto text = [&](i64 steps) { return error_text(Exit::usage, [&] { check_graph(o, steps); }); };
  EXPECT_NE(text(5).find("nothing was compared"), std::string::npos);
  EXPECT_NE(text(2).find("expected 3 steps or more"), std::string::npos);
  o.graph = false;
  EXPECT_NE(text(5).find("leave --graph off out"), std::string::npos);
  EXPECT_FALSE(std::filesystem::exists(o.out));
}

// A temporary folder of the process's own, to see what is left in it.
class OwnTemporaries {
 public:
  explicit OwnTemporaries(const std::filesystem::path& folder) : folder_(folder) {
    if (const char* former = std::getenv("TMPDIR")) former_ = former;
    std::filesystem::create_directories(folder);
    setenv("TMPDIR", folder.c_str(), 1);
  }
  ~OwnTemporaries() { former_.empty() ? unsetenv("TMPDIR") : setenv("TMPDIR", former_.c_str(), 1); }
  bool empty() const { return std::filesystem::is_empty(folder_); }

 private:
  std::filesystem::path folder_;
  std::string former_;
};

TEST(CheckGraph, trains_a_net_twice_and_leaves_nothing_behind) {
  TempFolder folder;
  TrainOptions o = tiny::options(folder / "run");
  o.model = "googlenet-bn";
  o.input = 32;
  o.data = folder / "data";
  o.stages = {parse_stage("head:2it@1e-2"), parse_stage("all:2it@1e-2")};
  for (const std::string name : {"a/1", "a/2", "a/3", "a/4", "b/1", "b/2", "b/3", "b/4"})
    write_png(folder / ("data/" + name + ".png"), smooth_picture(40, 40));
  const OwnTemporaries temporaries(folder / "temporary");
  const GraphCheck c = train_twice(o, 3);
  EXPECT_TRUE(c.equal()) << to_text(c);
  EXPECT_EQ(c.steps, 3);
  EXPECT_GT(c.numbers, 10'000'000) << "of GoogLeNet and its velocity";
  EXPECT_TRUE(temporaries.empty());
  o.stages = {parse_stage("until=nothing:2it@1e-2")};
  error_text(Exit::usage, [&] { train_twice(o, 3); });
  EXPECT_TRUE(temporaries.empty()) << "nor where it fails";
  EXPECT_FALSE(std::filesystem::exists(o.out));
}

TEST(CheckGraph, replays_equal_eager_steps_on_the_gpu) {
  if (gpu_count() == 0) GTEST_SKIP() << "no GPU here";
  const Use use(Device::cuda());
  Pair pair;
  pair.eager_options.schedule.kind = pair.graphed_options.schedule.kind = "cosine";  // another rate at each step
  const GraphCheck c = pair.compare(100);
  EXPECT_TRUE(c.good()) << to_text(c);
  EXPECT_EQ(c.steps, 5 * 7);
  EXPECT_EQ(c.replayed, 5 * 7 - 2) << "all but the first of each stage";
}

// What the host decides anew at each step is frozen in a graph: the fault that the check is there to find.
TEST(CheckGraph, finds_what_a_graph_has_frozen) {
  if (gpu_count() == 0) GTEST_SKIP() << "no GPU here";
  const Use use(Device::cuda());
  Pair pair;
  pair.eager_options.stages = pair.graphed_options.stages = {parse_stage("all:2ep@0.02")};
  for (Model* m : {&pair.eager, &pair.graphed})
    m->net = [net = m->net, calls = std::make_shared<int>(0)](const Tensor& x, Pass& pass) {
      Scores scores = net(x, pass);
      return Scores{add(scores.main, scores.main, 0.1 * ++*calls), {}};
    };
  const GraphCheck c = pair.compare(10);
  EXPECT_EQ(c.steps, 3) << "the first two run the host's code: " << to_text(c);
  EXPECT_EQ(c.what, "loss");
}

TEST(CheckGraph, a_step_that_cannot_be_captured_goes_on_and_says_so_once) {
  if (gpu_count() == 0) GTEST_SKIP() << "no GPU here";
  const Use use(Device::cuda());
  Context::current().strict = true;  // waits after each operation, which no capture allows
  TrainOptions o = tiny::options(tiny::folder("eager"));
  o.device = "cuda";
  const TrainResult result = tiny::train(o, tiny::Colours(30), tiny::Colours(12));
  EXPECT_EQ(result.exit, Exit::good);
  EXPECT_EQ(result.steps, 5 * 7);
  EXPECT_EQ(lines_with(tiny::content(o.out + "/log.txt"), "cannot be captured as a graph"), 1);
  std::filesystem::remove_all(o.out);
  const GraphCheck c = Pair().compare(5);
  EXPECT_EQ(c.replayed, 0);
  EXPECT_FALSE(c.why_eager.empty());
}

TEST(CheckGraph, a_training_on_the_cpu_says_nothing_of_graphs) {
  TrainOptions o = tiny::options(tiny::folder("cpu"));
  tiny::train(o, tiny::Colours(30), tiny::Colours(12));
  EXPECT_EQ(lines_with(tiny::content(o.out + "/log.txt"), "graph"), 0);
  std::filesystem::remove_all(o.out);
}

}  // namespace
}  // namespace dactyl
