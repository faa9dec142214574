// Where a sample's time goes on its way from the disk into a batch.
#pragma once

#include <array>
#include <string>

#include "engine/check.h"

namespace dactyl {

// copy: into the batch, and all else that is none of the others. The frames of a pack are read, not decoded.
enum class LoadStage { copy, read, decode, flow, resize, augment };
constexpr std::size_t load_stages = 6;
std::string to_text(LoadStage stage);  // "reading", "decoding" …

struct StageTimes {
  std::array<double, load_stages> seconds{};  // of all threads together
  i64 samples = 0;

  double all() const;
  LoadStage slowest() const;
  double share(LoadStage stage) const;  // 0 to 1
  StageTimes& operator+=(const StageTimes& more);
  StageTimes operator-(const StageTimes& earlier) const;
};

// While one lives, this thread's time counts as its stage's; one within it takes over until its own end.
class Staged {
 public:
  explicit Staged(LoadStage stage);
  ~Staged();
  Staged(const Staged&) = delete;
  Staged& operator=(const Staged&) = delete;

 private:
  int before_;
};

// This thread's seconds since it last asked; no sample is counted. Between two stages, not within one.
StageTimes take_stage_times();

}  // namespace dactyl
