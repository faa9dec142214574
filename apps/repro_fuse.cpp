// The streams' scores together: this program's verb fuse, run beside.
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

#include "apps/repro.h"

namespace dactyl {
namespace {

// Whether this program, called with these words, ends well. What it prints is not needed; its errors go where ours go.
bool self(std::vector<std::string> words) {
  words.insert(words.begin(), "dactyl");
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  const pid_t child = fork();
  check(Exit::failure, child >= 0, "repro: dactyl fuse cannot be started");
  if (child == 0) {
    dup2(STDERR_FILENO, STDOUT_FILENO);
    execv("/proc/self/exe", arguments.data());
    _exit(127);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

}  // namespace

Json fused(const std::vector<ReproRun>& runs, const std::string& out) {
  std::vector<std::string> words{"fuse"};
  for (const ReproRun& run : runs)
    if (run.paper->fused) words.push_back(run.paper->name + "=" + run.folder + "/eval");
  if (words.size() < 3) return nullptr;
  words.insert(words.end(), {"--out", out});
  check(Exit::failure, self(words), "repro: dactyl fuse failed; the runs themselves are done");
  const Json figures = Json::parse(text_file(out + "/metrics.json", Exit::data), nullptr, false);
  check(Exit::data, figures.is_object(), "{}/metrics.json: is damaged", out);
  return figures;
}

}  // namespace dactyl
