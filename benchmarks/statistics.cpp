// Quantiles and a bootstrap.
#include "benchmarks/statistics.h"

#include <algorithm>
#include <cmath>

#include "engine/random.h"

namespace dactyl {
namespace {

double median(std::vector<double>& times) {
  std::sort(times.begin(), times.end());
  return quantile(times, 0.5);
}

double resampled_median(const std::vector<double>& times, Sequence& random, std::vector<double>& room) {
  room.clear();
  const i64 n = static_cast<i64>(times.size());
  for (i64 i = 0; i < n; ++i) room.push_back(times[static_cast<std::size_t>(random.below(n))]);
  return median(room);
}

}  // namespace

double quantile(const std::vector<double>& sorted, double share) {
  check(!sorted.empty(), "quantile: of no numbers");
  const double at = share * static_cast<double>(sorted.size() - 1);
  const auto low = static_cast<std::size_t>(at);
  const std::size_t high = std::min(low + 1, sorted.size() - 1);
  return sorted[low] + (at - std::floor(at)) * (sorted[high] - sorted[low]);
}

Spread spread(std::vector<double> times) {
  if (times.empty()) return {};
  std::sort(times.begin(), times.end());
  return {quantile(times, 0.5), quantile(times, 0.1), quantile(times, 0.9), static_cast<i64>(times.size())};
}

std::vector<double> thinned(const std::vector<double>& times, std::size_t most) {
  if (times.size() <= most) return times;
  std::vector<double> kept;
  for (std::size_t i = 0; i < most; ++i) kept.push_back(times[i * times.size() / most]);
  return kept;
}

Ratio ratio_of_medians(const std::vector<double>& a, const std::vector<double>& b, i64 resamples, std::uint64_t seed) {
  check(!a.empty() && !b.empty(), "ratio: of no times");
  Sequence random(seed);
  std::vector<double> ratios, room;
  for (i64 i = 0; i < resamples; ++i) {
    const double below = resampled_median(a, random, room);
    ratios.push_back(resampled_median(b, random, room) / below);
  }
  std::sort(ratios.begin(), ratios.end());
  return {spread(b).median / spread(a).median, quantile(ratios, 0.025), quantile(ratios, 0.975)};
}

}  // namespace dactyl
