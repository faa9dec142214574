// Writing that fails: the name holds the old file or the whole new one, and the error says what is lacking.
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <random>

#include "tests/weights/forge.h"
#include "tests/weights/sample.h"

namespace dactyl {
namespace {

// Runs the body in a process of its own: limits and lost privileges end with it. 0: it went well; 77: not possible
// here.
int in_child(const std::function<int()>& body) {
  const pid_t child = ::fork();
  if (child == 0) {
    int result = 99;
    try {
      result = body();
    } catch (const std::exception& e) {
      std::fprintf(stderr, "%s\n", e.what());
    }
    ::_exit(result);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int contains_all(const std::string& text, const std::vector<std::string>& parts) {
  for (const auto& part : parts)
    if (text.find(part) == text.npos) {
      std::fprintf(stderr, "expected “%s” in “%s”\n", part.c_str(), text.c_str());
      return 1;
    }
  return 0;
}

TEST(Write, AFileSizeLimitLeavesTheOldFile) {
  const Folder folder;
  const std::string path = folder / "c";
  sample(1).write(path);
  const std::string old = content_of(path);
  const int result = in_child([&] {
    ::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{500, 500};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    return contains_all(error_of([&] { sample(2).write(path); }, Exit::data),
                        {path, "writing it failed after 500 bytes: File too large", "it needs", "free"});
  });
  EXPECT_EQ(result, 0);
  EXPECT_EQ(content_of(path), old);
  EXPECT_FALSE(std::filesystem::exists(path + ".part"));
}

TEST(Write, AReadOnlyFolderIsNamed) {
  const Folder folder;
  const std::string path = folder / "c";
  sample().write(path);
  const std::string old = content_of(path);
  std::filesystem::permissions(folder.path(), std::filesystem::perms(0555));
  const int result = in_child([&] {
    if (::geteuid() == 0 && ::setuid(65534) != 0) return 77;  // root writes anywhere
    return contains_all(error_of([&] { write_atomically(path, "new"); }, Exit::data),
                        {path, "creating it failed", "Permission denied"});
  });
  std::filesystem::permissions(folder.path(), std::filesystem::perms(0755));
  EXPECT_EQ(content_of(path), old);
  if (result == 77) GTEST_SKIP() << "cannot give up root's rights here";
  EXPECT_EQ(result, 0);
}

TEST(Write, AFullDiskIsToldInBytes) {
  const Folder folder;
  const int result = in_child([&] {
    if (::unshare(CLONE_NEWNS) != 0 || ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        ::mount("tmpfs", folder.path().c_str(), "tmpfs", 0, "size=65536") != 0)
      return 77;
    const std::string path = folder / "c";
    write_atomically(path, "old");
    const std::string text = error_of([&] { write_atomically(path, std::string(100'000, 'x')); }, Exit::data);
    if (content_of(path) != "old" || std::filesystem::exists(path + ".part")) return 2;
    return contains_all(text, {path + ": needs 100000 bytes", " free; make room"});
  });
  if (result == 77) GTEST_SKIP() << "no small disk can be mounted here";
  EXPECT_EQ(result, 0);
}

TEST(Write, NoFolderAndNoOrdinaryFileAreRefused) {
  const Folder folder;
  const std::string nowhere = error_of([&] { write_atomically(folder / "no/such/c", "x"); }, Exit::data);
  expect_part(nowhere, "creating it failed");
  EXPECT_EQ(nowhere.find(" free"), nowhere.npos) << nowhere;  // nobody knows how much
  expect_part(error_of([&] { write_atomically(folder.path(), "x"); }, Exit::data), "is not an ordinary file");
  expect_part(error_of([&] { write_atomically("/dev/null", "x"); }, Exit::data), "is not an ordinary file");
}

TEST(Write, ReplacesWhatAKilledProcessLeft) {
  const Folder folder;
  put(folder / "c.part", "half");
  write_atomically(folder / "c", "whole");
  EXPECT_EQ(content_of(folder / "c"), "whole");
  EXPECT_FALSE(std::filesystem::exists(folder / "c.part"));
}

TEST(Write, KilledAtAnyMomentTheNameHoldsAWholeFile) {
  const Folder folder;
  const std::string path = folder / "c";
  sample(0).write(path);
  std::mt19937 random(5);
  for (int round = 0; round < 20; ++round) {
    const pid_t child = ::fork();
    if (child == 0)
      for (float i = 0;; ++i) sample(i).write(path);
    ::usleep(1000 + random() % 20'000);
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    EXPECT_EQ(Checkpoint::read(path).tensors.size(), 8u);
  }
}

}  // namespace
}  // namespace dactyl
