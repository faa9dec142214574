// What repeated times say: their middle, their spread, and whether two of them differ.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/check.h"

namespace dactyl {

struct Spread {
  double median = 0, p10 = 0, p90 = 0;
  i64 runs = 0;
};
Spread spread(std::vector<double> times);  // of none: zeros
// The share-th quantile, 0 to 1, between neighbours by straight lines; of sorted numbers, at least one.
double quantile(const std::vector<double>& sorted, double share);
// At most `most` of them, evenly chosen, in their order.
std::vector<double> thinned(const std::vector<double>& times, std::size_t most = 300);

// median(b) / median(a) with the interval that holds 95 % of the ratios of resampled medians (percentile bootstrap, a
// function of the numbers and the seed alone).
struct Ratio {
  double value = 1, low = 1, high = 1;
  bool slower() const { return low > 1; }  // b took longer, beyond the interval
  bool faster() const { return high < 1; }
};
Ratio ratio_of_medians(const std::vector<double>& a, const std::vector<double>& b, i64 resamples = 2000,
                       std::uint64_t seed = 1);

}  // namespace dactyl
