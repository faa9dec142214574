// A progress bar with rate and remaining time.
#include "train/progress.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>

namespace dactyl {
namespace {

std::atomic<bool> silent = false;

std::string clock_text(double seconds) {  // 1:05, 2:03:09
  const i64 all = static_cast<i64>(seconds + 0.5), hours = all / 3600;
  char text[32];
  if (hours > 0)
    std::snprintf(text, sizeof text, "%ld:%02ld:%02ld", hours, all / 60 % 60, all % 60);
  else
    std::snprintf(text, sizeof text, "%ld:%02ld", all / 60, all % 60);
  return text;
}

std::string bar(double share) {
  constexpr int width = 24;
  const int full = static_cast<int>(share * width);
  return "[" + std::string(static_cast<std::size_t>(full), '=') +
         std::string(static_cast<std::size_t>(width - full), ' ') + "]";
}

}  // namespace

void Progress::silence(bool on) { silent = on; }

Progress::Progress(std::string what, i64 total, std::string unit, std::chrono::seconds every)
    : what_(std::move(what)),
      unit_(std::move(unit)),
      total_(std::max<i64>(total, 1)),
      every_(every),
      terminal_(isatty(STDERR_FILENO) != 0),
      start_(Clock::now()),
      next_(start_ + (terminal_ ? std::chrono::seconds(1) : every)) {}

Progress::~Progress() {
  if (drawn_) finish(Clock::now());
}

// The last line, at once when all is done: what is said next must stand below it, not above.
void Progress::finish(Clock::time_point now) {
  draw(now);
  if (terminal_) std::fputc('\n', stderr);
  drawn_ = false;
}

void Progress::advance(i64 n, const std::string& note) {
  const std::lock_guard lock(mutex_);
  done_ += n;
  if (!note.empty()) note_ = note;
  const auto now = Clock::now();
  const bool last = done_ == total_ && (drawn_ || now >= next_);
  if (silent || (now < next_ && !last)) return;
  if (last) return finish(now);
  draw(now);
  next_ = now + (terminal_ ? std::chrono::milliseconds(200) : every_);
}

std::string Progress::line(double seconds) const {
  const double rate = static_cast<double>(done_) / std::max(seconds, 1e-9);
  const double share = std::min(1.0, static_cast<double>(done_) / static_cast<double>(total_));
  const bool finished = done_ >= total_;
  char numbers[96];
  std::snprintf(numbers, sizeof numbers, " %3.0f %%  %ld/%ld%s%s  %.*f/s  ", share * 100, done_, total_,
                unit_.empty() ? "" : " ", unit_.c_str(), rate < 10 ? 1 : 0, rate);
  const double left = finished ? seconds : static_cast<double>(total_ - done_) / std::max(rate, 1e-9);
  return what_ + " " + (terminal_ ? bar(share) : "") + numbers + (finished ? "took " : "ETA ") +
         (done_ > 0 ? clock_text(left) : "?") + (note_.empty() ? "" : "  " + note_);
}

void Progress::draw(Clock::time_point now) {
  const std::string text = line(std::chrono::duration<double>(now - start_).count());
  std::fprintf(stderr, terminal_ ? "\r\033[K%s" : "%s\n", text.c_str());
  std::fflush(stderr);
  drawn_ = true;
}

}  // namespace dactyl
