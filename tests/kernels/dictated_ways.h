// Layers on the GPU computed in ways that a test dictates, by a file of plans, and by the reference loops.
#pragma once

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <set>
#include <thread>

#include "kernels/conv_problem.h"
#include "kernels/plan_cache.h"
#include "tests/kernels/layer_passes.h"

namespace dactyl {

class ConvSearch : public ::testing::Test {
 protected:
  void SetUp() override {
    if (gpu_count() == 0) GTEST_SKIP() << "no GPU here";
    const char* before = std::getenv("DACTYL_CACHE");
    before_ = before ? before : "";
    static int tests = 0;  // what a process has read of a folder it never reads again, so each test has its own
    folder_ = std::filesystem::temp_directory_path() /
              ("dactyl-search-" + std::to_string(getpid()) + "-" + std::to_string(++tests));
    use_folder("first");
  }
  void TearDown() override {
    before_.empty() ? unsetenv("DACTYL_CACHE") : setenv("DACTYL_CACHE", before_.c_str(), 1);
    std::filesystem::remove_all(folder_);
  }
  void use_folder(const std::string& name) { setenv("DACTYL_CACHE", (folder_ / name).c_str(), 1); }

  // A new thread remembers no plans, as a new process.
  static void apart(const std::function<void()>& work) {
    std::thread([&] {
      const Use use(Device::cuda());
      work();
    }).join();
  }

  // The problems of a layer's three passes, as passes() meets them.
  static std::vector<ConvProblem> problems(const Layer& l, DType type) {
    const Tensor x(l.x, type), w(l.w, type), b({l.w[0]}, type), dy(output_shape(l.x, l.window, l.w[0]), type);
    const Tensor y = l.into ? place_of(l, type) : dy;
    const ConvOptions options{.window = l.window, .groups = l.groups, .bias = b};
    return {conv_problem(Pass::forward, x, w, y, options), conv_problem(Pass::data, x, w, dy, options),
            conv_problem(Pass::weights, x, w, dy, options)};
  }

  // The name of the way for a problem; "": none is dictated.
  using Dictate = std::function<std::string(const ConvProblem&)>;

  // Makes the next thread compute these problems, or the layer's, in the given ways, by a file of plans that says so.
  void dictate(const Layer& l, DType type, const Dictate& way) {
    std::vector<ConvProblem> three;
    apart([&] { three = problems(l, type); });
    dictate(three, type, way);
  }

  void dictate(const std::vector<ConvProblem>& problems, DType type, const Dictate& way) {
    if (machine_.empty()) {
      use_folder("any");
      apart([&] { conv(noise({1, 4, 4, 8}, type, 1), noise({8, 1, 1, 8}, type, 2), {.window = square(1)}); });
      ASSERT_EQ(plan_files().size(), 1u);
      machine_ = plan_files()[0].machine;
    }
    use_folder("dictated " + std::to_string(++dictated_));
    Choices choices;
    texts_.clear();
    apart([&] {  // what ways there are may depend on the GPU
      for (const ConvProblem& p : problems)
        if (!way(p).empty()) {
          choices[plan_key(p)] = {way(p), 1e-3};
          texts_.insert(to_text(p));
        }
    });
    std::filesystem::create_directories(plan_folder());
    std::ofstream(plan_folder() + "/" + plan_file_name(machine_)) << plan_text(machine_, choices);
  }

  void expect_right(const Layer& l, DType type, const std::string& way, bool data) {
    expect_right(
        l, type, [&](const ConvProblem&) { return way; }, data);
  }

  // What a dictated way rests on may be searched, the layer's problems may not.
  void expect_right(const Layer& l, DType type, const Dictate& way, bool data) {
    SCOPED_TRACE(std::string(l.name) + " in " + to_text(type));
    dictate(l, type, way);
    std::vector<std::vector<float>> got, want, again;
    listen_to_plans([&](const std::string& problem, bool searched, const std::string&) {
      EXPECT_FALSE(searched && texts_.count(problem)) << "another way than the dictated one: " << problem;
    });
    apart([&] {
      got = passes(l, type, Algorithm::library, data);
      again = passes(l, type, Algorithm::library, data);
      want = passes(l, type, Algorithm::reference, data);
    });
    listen_to_plans({});
    for (std::size_t i = 0; i < got.size(); ++i) {
      EXPECT_LE(distance(got[i], want[i]), limit(type)) << (i == 0 ? "y" : i == 1 ? "dw" : "dx");
      EXPECT_EQ(got[i], again[i]) << "other bits at the second time";
    }
  }

  std::filesystem::path folder_;
  std::string before_, machine_;
  std::set<std::string> texts_;  // of the problems whose way is dictated
  int dictated_ = 0;
};

}  // namespace dactyl
