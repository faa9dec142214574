// Lines for people.
#include "train/log.h"

#include <unistd.h>

#include <cstdio>
#include <ctime>
#include <fstream>
#include <sstream>

namespace dactyl {

void Log::say(const std::string& text) const {
  char clock[32];
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  localtime_r(&now, &parts);
  std::strftime(clock, sizeof clock, "%Y-%m-%d %H:%M:%S  ", &parts);
  std::ofstream file(path_, std::ios::app);
  const char* over_bar = isatty(STDERR_FILENO) != 0 ? "\r\033[K" : "";
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (aloud_) std::fprintf(stderr, "%s%s\n", over_bar, line.c_str());
    file << clock << line << '\n';
  }
}

}  // namespace dactyl
