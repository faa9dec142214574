// A clock per thread that knows which stage it counts for.
#include "train/data/load_stage.h"

#include <algorithm>
#include <chrono>
#include <numeric>
#include <utility>

namespace dactyl {
namespace {

using Clock = std::chrono::steady_clock;

struct StageClock {
  std::array<double, load_stages> seconds{};
  int stage = -1;  // none: the time is nobody's
  Clock::time_point since{};

  int turn_to(int next) {
    const Clock::time_point now = Clock::now();
    if (stage >= 0) seconds[static_cast<std::size_t>(stage)] += std::chrono::duration<double>(now - since).count();
    since = now;
    return std::exchange(stage, next);
  }
};
thread_local StageClock here;

}  // namespace

std::string to_text(LoadStage stage) {
  constexpr const char* names[load_stages] = {"copying", "reading", "decoding", "optical flow", "resizing", "turning"};
  return names[static_cast<std::size_t>(stage)];
}

double StageTimes::all() const { return std::accumulate(seconds.begin(), seconds.end(), 0.0); }

LoadStage StageTimes::slowest() const {
  return static_cast<LoadStage>(std::max_element(seconds.begin(), seconds.end()) - seconds.begin());
}

double StageTimes::share(LoadStage stage) const {
  const double whole = all();
  return whole > 0 ? seconds[static_cast<std::size_t>(stage)] / whole : 0;
}

StageTimes& StageTimes::operator+=(const StageTimes& more) {
  for (std::size_t s = 0; s < load_stages; ++s) seconds[s] += more.seconds[s];
  samples += more.samples;
  return *this;
}

StageTimes StageTimes::operator-(const StageTimes& earlier) const {
  StageTimes rest = *this;
  for (std::size_t s = 0; s < load_stages; ++s) rest.seconds[s] -= earlier.seconds[s];
  rest.samples -= earlier.samples;
  return rest;
}

Staged::Staged(LoadStage stage) : before_(here.turn_to(static_cast<int>(stage))) {}

Staged::~Staged() { here.turn_to(before_); }

StageTimes take_stage_times() { return {std::exchange(here.seconds, {}), 0}; }

}  // namespace dactyl
