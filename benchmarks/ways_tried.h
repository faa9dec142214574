// The ways in which a GPU computed a convolution or a linear layer while the fastest was searched.
#pragma once

#include <string>
#include <vector>

namespace dactyl {

struct TriedWay {
  std::string problem, way;
  double seconds;  // of a run
};

// Listens while it lives, if wanted: plans are searched anew then, also those that a file knows, and none is kept. One
// at a time, before the thread meets the layer.
class WaysTried {
 public:
  explicit WaysTried(bool wanted);
  ~WaysTried();
  WaysTried(const WaysTried&) = delete;
  WaysTried& operator=(const WaysTried&) = delete;

  const std::vector<TriedWay>& ways() const { return ways_; }

 private:
  bool wanted_;
  std::vector<TriedWay> ways_;
};

}  // namespace dactyl
