#include "benchmarks/ways_tried.h"

#include <cstdlib>

#include "kernels/plans.h"

namespace dactyl {

WaysTried::WaysTried(bool wanted) : wanted_(wanted) {
  if (!wanted_) return;
  setenv("DACTYL_CACHE", "off", 1);
  listen_to_ways([this](const std::string& problem, const std::string& way, double seconds) {
    ways_.push_back({problem, way, seconds});
  });
}

WaysTried::~WaysTried() {
  if (wanted_) listen_to_ways({});
}

}  // namespace dactyl
