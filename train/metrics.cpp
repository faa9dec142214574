// From predictions to figures, with the conventions of scikit-learn.
#include "train/metrics.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>
#include <tuple>

#include "engine/random.h"

namespace dactyl {
namespace {

using Confusion = std::vector<std::vector<i64>>;

double ratio(i64 part, i64 all) { return all > 0 ? static_cast<double>(part) / static_cast<double>(all) : 0; }

// What one-class figures come from: how often a class is the truth, is predicted, and both.
struct Tally {
  i64 samples = 0, predicted = 0, hits = 0;
  double f1() const { return ratio(2 * hits, samples + predicted); }
};

double macro_f1(const std::vector<Tally>& classes) {
  double sum = 0;
  i64 present = 0;
  for (const Tally& c : classes) {
    if (c.samples + c.predicted == 0) continue;
    sum += c.f1();
    ++present;
  }
  return present > 0 ? sum / static_cast<double>(present) : 0;
}

// The share-th value of a sorted list, interpolated between neighbours.
double quantile(const std::vector<double>& sorted, double share) {
  const double at = share * static_cast<double>(sorted.size() - 1);
  const auto low = static_cast<std::size_t>(at), high = std::min(low + 1, sorted.size() - 1);
  return sorted[low] + (at - static_cast<double>(low)) * (sorted[high] - sorted[low]);
}

// Draws as many samples as there are, with replacement, again and again: the middle 95 % of what comes out.
void add_macro_f1_interval(Metrics& m, const std::vector<std::pair<int, int>>& pairs, std::uint64_t seed,
                           int resamples) {
  m.macro_f1_low = m.macro_f1_high = m.macro_f1;
  if (resamples < 1 || pairs.empty()) return;
  if (m.top1 == 0 || m.top1 == 1) {
    m.macro_f1_low = m.top1_low, m.macro_f1_high = m.top1_high;
    return;
  }
  std::vector<double> macro;
  const i64 n = static_cast<i64>(pairs.size());
  for (int round = 0; round < resamples; ++round) {
    Sequence draw(seed, static_cast<std::uint32_t>(round), 0xB007u);
    std::vector<Tally> classes(m.per_class.size());
    for (i64 i = 0; i < n; ++i) {
      const auto [truth, predicted] = pairs[static_cast<std::size_t>(draw.below(n))];
      ++classes[static_cast<std::size_t>(truth)].samples;
      ++classes[static_cast<std::size_t>(predicted)].predicted;
      if (truth == predicted) ++classes[static_cast<std::size_t>(truth)].hits;
    }
    macro.push_back(macro_f1(classes));
  }
  std::tie(m.macro_f1_low, m.macro_f1_high) = middle_95(std::move(macro));
}

void add_classes(Metrics& m, const std::vector<std::string>& labels) {
  std::vector<Tally> tallies;
  i64 occurring = 0;
  for (std::size_t c = 0; c < labels.size(); ++c) {
    Tally t{std::accumulate(m.confusion[c].begin(), m.confusion[c].end(), i64{0}), 0, m.confusion[c][c]};
    for (const auto& row : m.confusion) t.predicted += row[c];
    const double recall = ratio(t.hits, t.samples);
    m.per_class.push_back({labels[c], t.samples, t.predicted, t.hits, ratio(t.hits, t.predicted), recall, t.f1()});
    m.weighted_f1 += ratio(t.samples, m.samples) * t.f1();
    m.class_average += recall;
    occurring += t.samples > 0;
    tallies.push_back(t);
  }
  m.class_average /= static_cast<double>(std::max<i64>(occurring, 1));
  m.macro_f1 = macro_f1(tallies);
}

}  // namespace

Metrics measure(const std::vector<Prediction>& predictions, const std::vector<std::string>& labels, std::uint64_t seed,
                int resamples) {
  Metrics m;
  m.samples = static_cast<i64>(predictions.size());
  m.confusion = Confusion(labels.size(), std::vector<i64>(labels.size()));
  std::vector<std::pair<int, int>> pairs;
  i64 first = 0, fifth = 0;
  for (const Prediction& p : predictions) {
    const int classes = static_cast<int>(labels.size());
    check(p.label >= 0 && p.label < classes && !p.top.empty() && p.top[0] >= 0 && p.top[0] < classes,
          "metrics: {}: label {} among {} classes", p.name, p.label, classes);
    ++m.confusion[static_cast<std::size_t>(p.label)][static_cast<std::size_t>(p.top[0])];
    pairs.emplace_back(p.label, p.top[0]);
    first += p.top[0] == p.label;
    fifth += std::find(p.top.begin(), p.top.end(), p.label) != p.top.end();
    m.loss += p.loss;
  }
  m.top1 = ratio(first, m.samples);
  m.top5 = ratio(fifth, m.samples);
  m.loss /= static_cast<double>(std::max<i64>(m.samples, 1));
  add_classes(m, labels);
  std::tie(m.top1_low, m.top1_high) = wilson_interval(first, m.samples);
  add_macro_f1_interval(m, pairs, seed, resamples);
  m.macro_f1_top10 = mean_f1(most_frequent(m, 10));
  m.macro_f1_top20 = mean_f1(most_frequent(m, 20));
  return m;
}

std::pair<double, double> wilson_interval(i64 hits, i64 samples) {
  if (samples == 0) return {0, 1};
  constexpr double z = 1.959963984540054;  // of the normal distribution 95 % lie within ± z
  const auto n = static_cast<double>(samples);
  const double p = ratio(hits, samples), scale = 1 + z * z / n;
  const double middle = (p + z * z / (2 * n)) / scale;
  const double reach = z / scale * std::sqrt(p * (1 - p) / n + z * z / (4 * n * n));
  return {hits == 0 ? 0 : middle - reach, hits == samples ? 1 : middle + reach};
}

std::pair<double, double> middle_95(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return {quantile(values, 0.025), quantile(values, 0.975)};
}

std::vector<ClassScore> most_frequent(const Metrics& m, std::size_t count) {
  std::vector<ClassScore> classes;
  for (const ClassScore& c : m.per_class)
    if (c.samples > 0) classes.push_back(c);
  std::stable_sort(classes.begin(), classes.end(),
                   [](const ClassScore& a, const ClassScore& b) { return a.samples > b.samples; });
  classes.resize(std::min(classes.size(), count));
  return classes;
}

double mean_f1(const std::vector<ClassScore>& classes) {
  double sum = 0;
  for (const ClassScore& c : classes) sum += c.f1;
  return classes.empty() ? 0 : sum / static_cast<double>(classes.size());
}

std::string to_json(const Metrics& m) {
  using Json = nlohmann::ordered_json;
  const Json json{{"samples", m.samples},
                  {"top1", m.top1},
                  {"top1_interval", {m.top1_low, m.top1_high}},
                  {"top5", m.top5},
                  {"class_average", m.class_average},
                  {"macro_f1", m.macro_f1},
                  {"macro_f1_interval", {m.macro_f1_low, m.macro_f1_high}},
                  {"macro_f1_top10", m.macro_f1_top10},
                  {"macro_f1_top20", m.macro_f1_top20},
                  {"weighted_f1", m.weighted_f1},
                  {"loss", std::isfinite(m.loss) ? Json(m.loss) : Json(nullptr)}};
  return json.dump();
}

std::vector<double> class_weights(const std::string& rule, const std::vector<i64>& counts) {
  check(Exit::usage, rule == "none" || rule == "maxratio" || rule == "inverse",
        "--class-weights '{}': expected none, maxratio or inverse", rule);
  const i64 samples = std::accumulate(counts.begin(), counts.end(), i64{0});
  const i64 largest = counts.empty() ? 0 : *std::max_element(counts.begin(), counts.end());
  const i64 present = static_cast<i64>(counts.size()) - std::count(counts.begin(), counts.end(), 0);
  std::vector<double> weights;
  for (const i64 n : counts)
    weights.push_back(rule == "none" || n == 0 ? 1
                      : rule == "maxratio"     ? ratio(largest, n)
                                               : ratio(samples, present * n));
  return weights;
}

}  // namespace dactyl
