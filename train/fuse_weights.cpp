// The weights of streams, and on which samples they are fitted.
#include <algorithm>
#include <numeric>

#include "engine/random.h"
#include "train/fuse.h"

namespace dactyl {

std::vector<double> Combination::mean_weights() const {
  std::vector<double> mean(streams.size());
  for (const std::vector<double>& w : weights)
    for (std::size_t k = 0; k < mean.size(); ++k) mean[k] += w[k] / static_cast<double>(weights.size());
  return mean;
}

std::vector<double> equal_weights(std::size_t streams) {
  return std::vector<double>(streams, 1 / static_cast<double>(streams));
}

std::vector<double> fitted_weights(const TruthOdds& odds, std::size_t streams) {
  std::vector<double> weights = equal_weights(streams);
  for (int round = 0; round < 5000 && !odds.empty() && streams > 1; ++round) {
    std::vector<double> slope(streams);  // of the mean log-likelihood
    for (const std::vector<double>& p : odds) {
      double mixture = 0;
      for (std::size_t s = 0; s < streams; ++s) mixture += weights[s] * std::max(p[s], least_probability);
      for (std::size_t s = 0; s < streams; ++s)
        slope[s] += std::max(p[s], least_probability) / mixture / static_cast<double>(odds.size());
    }
    for (std::size_t s = 0; s < streams; ++s) weights[s] *= slope[s];
    const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
    for (double& w : weights) w /= sum;
    if (*std::max_element(slope.begin(), slope.end()) < 1 + 1e-7) break;  // bounds what is left to gain
  }
  return weights;
}

std::vector<int> halves(const std::vector<int>& truth, i64 classes, std::uint64_t seed) {
  std::vector<std::vector<std::size_t>> of_class(static_cast<std::size_t>(classes));
  for (std::size_t i = 0; i < truth.size(); ++i) of_class[static_cast<std::size_t>(truth[i])].push_back(i);
  std::vector<int> half(truth.size());
  int next = 0;  // goes on from class to class, so that odd ones do not all favour one half
  for (std::size_t c = 0; c < of_class.size(); ++c) {
    Sequence(seed, static_cast<std::uint32_t>(c), 0xFA1Fu).shuffle(of_class[c].begin(), of_class[c].end());
    for (const std::size_t i : of_class[c]) half[i] = next++ % 2;
  }
  return half;
}

}  // namespace dactyl
