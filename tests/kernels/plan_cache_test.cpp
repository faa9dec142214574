// Plans outlive the process that found them, and no file can do harm.
#include "kernels/plan_cache.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "kernels/conv_problem.h"

namespace dactyl {
namespace {

const std::string machine = "Some GPU 80GB, 132 SMs, CUDA driver 13000, cuDNN 91900";
const Choice fast{"engine 47, 12=3 19=1", 199.1e-6};

class PlanFiles : public ::testing::Test {
 protected:
  PlanFiles() : folder_(std::filesystem::temp_directory_path() / ("dactyl-plans-" + std::to_string(getpid()))) {
    std::filesystem::remove_all(folder_);
  }
  ~PlanFiles() override { std::filesystem::remove_all(folder_); }

  std::string path() const { return folder_ / plan_file_name(machine); }
  std::string text() const {
    std::ostringstream all;
    all << std::ifstream(path()).rdbuf();
    return all.str();
  }
  void write(const std::string& text) const {
    std::filesystem::create_directories(folder_);
    std::ofstream(path()) << text;
  }
  // What a process that starts now finds, and what it says.
  std::pair<std::optional<Choice>, std::string> found(const std::string& problem) const {
    ::testing::internal::CaptureStderr();
    const auto choice = PlanCache(folder_, machine).find(problem);
    return {choice, ::testing::internal::GetCapturedStderr()};
  }

  std::filesystem::path folder_;
};

TEST_F(PlanFiles, are_found_by_the_next_process) {
  EXPECT_FALSE(found("a").first);
  PlanCache cache(folder_, machine);
  cache.add("a", fast);
  cache.add("b", {"none"});
  EXPECT_EQ(found("a").first, fast);
  EXPECT_EQ(found("b").first, Choice{"none"});
  EXPECT_EQ(found("a").second, "");
  EXPECT_FALSE(found("c").first);
}

TEST_F(PlanFiles, of_another_machine_hold_nothing) {
  PlanCache(folder_, machine).add("a", fast);
  EXPECT_FALSE(PlanCache(folder_, machine + "1").find("a"));
  EXPECT_FALSE(read_plans(text(), machine + "1"));
  EXPECT_TRUE(read_plans(text(), ""));
}

TEST_F(PlanFiles, damaged_anywhere_are_ignored_said_and_replaced) {
  PlanCache(folder_, machine).add("a", fast);
  const std::string good = text();
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] ^= 1;
    EXPECT_FALSE(read_plans(bad, machine)) << "byte " << i << " is another";
    EXPECT_FALSE(read_plans(good.substr(0, i), machine)) << "cut to " << i << " bytes";
  }
  for (const std::string& bad :
       {std::string(), good.substr(0, good.size() / 2), good + "more", std::string(5000, 'x')}) {
    write(bad);
    const auto [choice, said] = found("a");
    EXPECT_FALSE(choice);
    EXPECT_EQ(std::count(said.begin(), said.end(), '\n'), 1) << said;
    EXPECT_NE(said.find(path()), said.npos) << said;
    PlanCache(folder_, machine).add("b", fast);
    EXPECT_EQ(found("b").first, fast);
    EXPECT_EQ(found("b").second, "");
  }
}

TEST_F(PlanFiles, keep_what_several_processes_add_at_once) {
  constexpr int processes = 4, each = 25;
  for (int p = 0; p < processes; ++p)
    if (fork() == 0) {
      PlanCache cache(folder_, machine);
      for (int i = 0; i < each; ++i) cache.add(std::to_string(p) + " " + std::to_string(i), fast);
      _exit(0);
    }
  for (int p = 0; p < processes; ++p) wait(nullptr);
  const auto all = read_plans(text(), machine);
  ASSERT_TRUE(all);
  EXPECT_EQ(all->size(), std::size_t{processes * each});
}

TEST_F(PlanFiles, keep_what_was_compiled_beside_them) {
  const std::string binary("kernel\n\0\n code", 14);
  PlanCache cache(folder_, machine);
  EXPECT_EQ(cache.compiled("a"), "");
  cache.keep_compiled("a", binary);
  cache.keep_compiled("b", "other");
  EXPECT_EQ(PlanCache(folder_, machine).compiled("a"), binary);
  EXPECT_EQ(PlanCache(folder_, machine + "1").compiled("a"), "");
  const std::filesystem::path folder = path() + ".compiled";
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    std::ofstream(entry.path(), std::ios::app) << "more";
    EXPECT_EQ(entry.path().extension(), "") << "a temporary file was left";
  }
  EXPECT_EQ(cache.compiled("a"), "") << "damaged";
  EXPECT_EQ(cache.compiled("b"), "") << "damaged";
  cache.keep_compiled("a", binary);
  EXPECT_EQ(cache.compiled("a"), binary);
  cache.keep_compiled("a", "");
  EXPECT_EQ(cache.compiled("a"), "");
  EXPECT_EQ(PlanCache("", machine).compiled("a"), "");
}

TEST_F(PlanFiles, that_cannot_be_written_are_done_without) {
  std::ofstream(folder_) << "a file where the folder should be";
  ::testing::internal::CaptureStderr();
  PlanCache cache(folder_, machine);
  cache.add("a", fast);
  cache.add("b", fast);
  const std::string said = ::testing::internal::GetCapturedStderr();
  EXPECT_EQ(std::count(said.begin(), said.end(), '\n'), 1) << said;
  EXPECT_EQ(cache.find("a"), fast);
}

TEST(PlanFolder, is_where_the_user_says) {
  const auto in = [](const char* own, const char* shared, const char* home) {
    own ? setenv("DACTYL_CACHE", own, 1) : unsetenv("DACTYL_CACHE");
    shared ? setenv("XDG_CACHE_HOME", shared, 1) : unsetenv("XDG_CACHE_HOME");
    home ? setenv("HOME", home, 1) : unsetenv("HOME");
    return plan_folder();
  };
  const std::string home = getenv("HOME") ? getenv("HOME") : "/";
  EXPECT_EQ(in("/a", "/b", "/c"), "/a");
  EXPECT_EQ(in("off", "/b", "/c"), "");
  EXPECT_EQ(in(nullptr, "/b", "/c"), "/b/dactyl");
  EXPECT_EQ(in("", "", "/c"), "/c/.cache/dactyl");
  EXPECT_EQ(in(nullptr, nullptr, nullptr), "");
  in(nullptr, nullptr, home.c_str());
}

// What a plan is kept under names every number of the problem.
TEST(PlanKey, is_another_for_another_problem) {
  ConvProblem a;
  a.batch = 2, a.ins = 4, a.outs = 8, a.in = {9, 9, 9}, a.kernel = {3, 3, 3}, a.out = {7, 7, 7};
  std::vector<ConvProblem> all{a};
  const auto other = [&](auto change) {
    all.push_back(a);
    change(all.back());
  };
  other([](auto& p) { p.pass = Pass::weights; });
  other([](auto& p) { p.dtype = DType::bf16; });
  other([](auto& p) { p.math = Math::tf32; });
  other([](auto& p) { p.deterministic = false; });
  other([](auto& p) { p.bias = true; });
  other([](auto& p) { p.relu = true; });
  other([](auto& p) { p.adds = true; });
  other([](auto& p) { p.batch = 3; });
  other([](auto& p) { p.groups = 2; });
  other([](auto& p) { p.groups = 2, p.ins = 2; });
  other([](auto& p) { p.ins = 5; });
  other([](auto& p) { p.outs = 9; });
  for (std::size_t i = 0; i < 3; ++i) {
    other([i](auto& p) { ++p.in[i]; });
    other([i](auto& p) { ++p.out[i]; });
    other([i](auto& p) { ++p.kernel[i]; });
    other([i](auto& p) { ++p.stride[i]; });
    other([i](auto& p) { ++p.low[i]; });
    other([i](auto& p) { ++p.high[i]; });
    other([i](auto& p) { p.alignment[i] = 4; });
  }
  std::map<std::string, ConvProblem> seen;
  for (const ConvProblem& p : all) EXPECT_TRUE(seen.emplace(plan_key(p), p).second) << plan_key(p);
}

}  // namespace
}  // namespace dactyl
