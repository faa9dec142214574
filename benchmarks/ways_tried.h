// The ways in which a GPU computes a convolution or a linear layer: those tried while the fastest was searched, and it.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "benchmarks/layer_work.h"

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

// Listens while it lives to which way each problem gets, searched or from a file. One at a time; a thread meets each
// problem once.
class WaysTaken {
 public:
  WaysTaken();
  ~WaysTaken();
  WaysTaken(const WaysTaken&) = delete;
  WaysTaken& operator=(const WaysTaken&) = delete;

  // Of the problem of this pass that was met last ("none": plain loops); empty if none was.
  std::string of(LayerPass pass) const;

 private:
  std::vector<std::pair<std::string, std::string>> ways_;  // problem, way
};

}  // namespace dactyl
