// Runs the built program as a user would, and keeps what it said.
#pragma once

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>

namespace dactyl {

struct Said {
  int code;
  std::string out, err;
  nlohmann::json json() const { return nlohmann::json::parse(out); }
};

inline std::string text_of(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

// A folder of the test's own, empty at the start, gone at the end. Commands run inside it.
class Program : public testing::Test {
 protected:
  Program() {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    folder_ = std::filesystem::temp_directory_path() /
              (std::string("dactyl-") + test->name() + "-" + std::to_string(getpid()));
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
  }
  ~Program() override { std::filesystem::remove_all(folder_); }

  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  void write(const std::string& name, const std::string& text) const { std::ofstream(path(name)) << text; }

  Said run(const std::string& arguments, const std::string& behind = "") const {
    const std::string command =
        "cd " + folder_.string() + " && " DACTYL_PROGRAM " " + arguments + " 2>stderr.txt " + behind;
    std::FILE* pipe = popen(command.c_str(), "r");
    Said said{-1, "", ""};
    char block[4096];
    for (std::size_t n; (n = std::fread(block, 1, sizeof block, pipe)) > 0;) said.out.append(block, n);
    const int status = pclose(pipe);
    said.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    said.err = text_of(path("stderr.txt"));
    return said;
  }

  // Errors are one line that starts with the program's name.
  void expect_error(const std::string& arguments, int code) const {
    const Said said = run(arguments);
    EXPECT_EQ(said.code, code) << arguments << "\n" << said.err;
    EXPECT_EQ(said.err.rfind("dactyl: ", 0), 0u) << said.err;
    EXPECT_EQ(std::count(said.err.begin(), said.err.end(), '\n'), 1) << said.err;
  }

 private:
  std::filesystem::path folder_;
};

}  // namespace dactyl
