#include "benchmarks/ways_tried.h"

#include <algorithm>
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

WaysTaken::WaysTaken() {
  listen_to_plans(
      [this](const std::string& problem, bool, const std::string& way) { ways_.emplace_back(problem, way); });
}

WaysTaken::~WaysTaken() { listen_to_plans({}); }

std::string WaysTaken::of(LayerPass pass) const {
  const std::string begin = pass == LayerPass::data      ? "data gradient of "
                            : pass == LayerPass::weights ? "weight gradient of "
                                                         : "forward of ";
  const auto found =
      std::find_if(ways_.rbegin(), ways_.rend(), [&](const auto& w) { return w.first.starts_with(begin); });
  return found == ways_.rend() ? "" : found->second;
}

}  // namespace dactyl
