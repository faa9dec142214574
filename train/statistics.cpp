// Sums over all positions of what the convolutions hand to their normalisations.
#include "train/statistics.h"

#include <map>

#include "weights/weights.h"

namespace dactyl {
namespace {

struct Sums {
  double count = 0;
  std::vector<double> of, of_squares;
};

void add(Sums& sums, const Tensor& z) {
  const std::vector<float> values = z.floats();
  const auto channels = static_cast<std::size_t>(z.shape().channels());
  sums.of.resize(channels);
  sums.of_squares.resize(channels);
  for (std::size_t i = 0; i < values.size(); ++i) {
    sums.of[i % channels] += values[i];
    sums.of_squares[i % channels] += double(values[i]) * values[i];
  }
  sums.count += static_cast<double>(values.size() / channels);
}

Moments moments(const Sums& sums) {
  Moments m;
  for (std::size_t c = 0; c < sums.of.size(); ++c) {
    const double mean = sums.of[c] / sums.count, square = sums.of_squares[c] / sums.count;
    m.mean.push_back(static_cast<float>(mean));
    m.var.push_back(static_cast<float>(std::max(0.0, square - mean * mean)));
  }
  return m;
}

}  // namespace

void reestimate_statistics(Model& model, const std::function<Tensor()>& next) {
  check(Exit::usage, model.name == "i3d", "statistics are re-estimated for i3d, not for {}", model.name);
  constexpr std::string_view leaf = ".conv";
  std::map<std::string, Sums> sums;
  Random random(1, Context::current().device());
  Pass pass{.training = true, .frozen_statistics = true, .random = &random};
  pass.tap = [&](const std::string& name, const Tensor& z) {
    if (name.ends_with(leaf)) add(sums[name.substr(0, name.size() - leaf.size())], z);
  };
  for (Tensor x = next(); x.defined(); x = next()) model.forward(x, pass);
  check(Exit::data, !sums.empty(), "statistics: there is no data to estimate them from");
  std::map<std::string, Moments> measured;
  for (const auto& [unit, s] : sums) measured.emplace(unit, moments(s));
  recalibrate(*model.parameters, measured);
}

}  // namespace dactyl
