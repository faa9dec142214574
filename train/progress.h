// A progress bar with rate and remaining time, for work that takes long.
#pragma once

#include <chrono>
#include <mutex>
#include <string>

#include "engine/check.h"

namespace dactyl {

// Writes to stderr: on a terminal one line redrawn in place, elsewhere a plain line `every` so often. Work that is
// done within a second says nothing; other work says once that it is complete. All members may be called by several
// threads.
class Progress {
 public:
  Progress(std::string what, i64 total, std::string unit = "",  // "rendering", 5200, "pictures"
           std::chrono::seconds every = std::chrono::seconds(10));
  ~Progress();  // ends the line
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void advance(i64 n = 1, const std::string& note = "");  // note: shown behind the bar, e.g. "loss 0.31"
  static void silence(bool on);                           // for the whole process, e.g. under --json

 private:
  using Clock = std::chrono::steady_clock;
  void draw(Clock::time_point now);
  void finish(Clock::time_point now);
  std::string line(double seconds) const;

  std::mutex mutex_;
  std::string what_, unit_, note_;
  i64 total_, done_ = 0;
  std::chrono::seconds every_;
  bool terminal_, drawn_ = false;  // whether a line is open that must be brought up to date at the end
  Clock::time_point start_, next_;
};

}  // namespace dactyl
