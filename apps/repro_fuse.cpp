// The streams' scores together: this program's verb fuse, run beside.
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

#include "apps/repro.h"

namespace dactyl {
namespace {

// What this program, called with these words, prints; empty where it fails. Its errors go where ours go.
std::string said_by_self(std::vector<std::string> words) {
  words.insert(words.begin(), "dactyl");
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  int ends[2];
  check(Exit::failure, pipe(ends) == 0, "repro: no pipe to dactyl fuse");
  const pid_t child = fork();
  check(Exit::failure, child >= 0, "repro: dactyl fuse cannot be started");
  if (child == 0) {
    dup2(ends[1], STDOUT_FILENO);
    close(ends[0]);
    close(ends[1]);
    execv("/proc/self/exe", arguments.data());
    _exit(127);
  }
  close(ends[1]);
  std::string text;
  char block[4096];
  for (ssize_t n; (n = read(ends[0], block, sizeof block)) > 0;) text.append(block, static_cast<std::size_t>(n));
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? text : "";
}

}  // namespace

Json fused(const std::vector<ReproRun>& runs, const std::string& out) {
  std::vector<std::string> words{"fuse"};
  for (const ReproRun& run : runs)
    if (run.paper->fused) words.push_back(run.paper->name + "=" + run.folder + "/eval");
  if (words.size() < 3) return nullptr;
  words.insert(words.end(), {"--json", "--out", out});
  const Json figures = Json::parse(said_by_self(words), nullptr, false);
  check(Exit::failure, figures.is_object(), "repro: dactyl fuse failed; the runs themselves are done");
  return figures;
}

}  // namespace dactyl
