// What every combination of streams is worth.
#include "train/fuse.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>
#include <tuple>

#include "engine/random.h"
#include "weights/text.h"

namespace dactyl {
namespace {

using Some = std::vector<std::size_t>;          // streams of a combination, ascending
using Sets = std::vector<std::vector<double>>;  // of weights

// The prediction of a mixture; equally probable classes rank by index, as scores do.
Prediction prediction_of(const std::string& name, int label, const std::vector<double>& p) {
  std::vector<int> order(p.size());
  std::iota(order.begin(), order.end(), 0);
  const auto at = [&](int c) { return p[static_cast<std::size_t>(c)]; };
  const auto best = std::min<std::ptrdiff_t>(5, static_cast<std::ptrdiff_t>(p.size()));
  std::partial_sort(order.begin(), order.begin() + best, order.end(),
                    [&](int a, int b) { return at(a) != at(b) ? at(a) > at(b) : a < b; });
  Prediction made{.name = name, .label = label, .top = {order.begin(), order.begin() + best}};
  made.loss = -std::log(std::max(at(label), least_probability));
  for (const double share : p) made.scores.push_back(static_cast<float>(std::log(std::max(share, least_probability))));
  for (const int c : made.top) {
    made.p.push_back(static_cast<float>(at(c)));
    made.logit.push_back(made.scores[static_cast<std::size_t>(c)]);
  }
  return made;
}

// Streams of the same samples as probabilities, in 64 bits: there different scores stay different.
class Streams {
 public:
  explicit Streams(const std::vector<LogitStream>& streams) : streams_(streams) {
    for (const LogitStream& s : streams) {
      log_sums_.emplace_back();
      for (i64 i = 0; i < samples(); ++i) log_sums_.back().push_back(log_sum(s.logits.row(i), s.logits.classes()));
    }
  }
  i64 samples() const { return streams_.front().logits.samples(); }
  const Logits& like() const { return streams_.front().logits; }

  // What the streams say of the truth of those samples whose number in `set` is not `without`.
  TruthOdds odds(const Some& some, const std::vector<int>& set, int without) const {
    TruthOdds odds;
    for (i64 i = 0; i < samples(); ++i) {
      if (set[static_cast<std::size_t>(i)] == without) continue;
      odds.emplace_back();
      for (const std::size_t s : some) odds.back().push_back(p(s, i, like().truth[static_cast<std::size_t>(i)]));
    }
    return odds;
  }

  // Means of probabilities, each sample with the weights of its set.
  std::vector<Prediction> mixed(const Some& some, const Sets& weights, const std::vector<int>& set) const {
    std::vector<Prediction> predictions;
    for (std::size_t i = 0; i < set.size(); ++i) {
      const std::vector<double>& w = weights[static_cast<std::size_t>(set[i])];
      std::vector<double> mean(like().labels.size());
      for (std::size_t k = 0; k < some.size(); ++k)
        for (std::size_t c = 0; c < mean.size(); ++c)
          mean[c] += w[k] * p(some[k], static_cast<i64>(i), static_cast<int>(c));
      predictions.push_back(prediction_of(like().names[i], like().truth[i], mean));
    }
    return predictions;
  }

 private:
  static double log_sum(const float* row, i64 classes) {
    const double top = *std::max_element(row, row + classes);
    double sum = 0;
    for (i64 c = 0; c < classes; ++c) sum += std::exp(row[c] - top);
    return top + std::log(sum);
  }
  double p(std::size_t stream, i64 sample, int c) const {
    return std::exp(streams_[stream].logits.row(sample)[c] - log_sums_[stream][static_cast<std::size_t>(sample)]);
  }

  const std::vector<LogitStream>& streams_;
  std::vector<std::vector<double>> log_sums_;
};

// All subsets that are not empty: small ones first, then in the order of the streams.
std::vector<Some> subsets(std::size_t streams) {
  std::vector<Some> all;
  for (unsigned mask = 1; mask < 1u << streams; ++mask) {
    all.emplace_back();
    for (std::size_t s = 0; s < streams; ++s)
      if (mask >> s & 1u) all.back().push_back(s);
  }
  std::sort(all.begin(), all.end(),
            [](const auto& a, const auto& b) { return a.size() != b.size() ? a.size() < b.size() : a < b; });
  return all;
}

Metrics figures(const std::vector<Prediction>& predictions, const std::vector<std::string>& labels, std::uint64_t seed,
                int resamples) {
  Metrics m = measure(predictions, labels, seed, resamples);
  m.per_class.clear(), m.confusion.clear();  // of up to 255 combinations they would fill the memory
  return m;
}

// The same file with the same scores of every net is the same sample, from wherever it was read.
std::set<std::string> faces_of(const std::vector<LogitStream>& streams) {
  std::set<std::string> faces;
  for (i64 i = 0; i < streams.front().logits.samples(); ++i) {
    const std::string& name = streams.front().logits.names[static_cast<std::size_t>(i)];
    std::string face = name.substr(name.rfind('/') + 1);
    for (const LogitStream& s : streams)
      face.append(reinterpret_cast<const char*>(s.logits.row(i)), s.logits.labels.size() * sizeof(float));
    faces.insert(std::move(face));
  }
  return faces;
}

void check_apart(const std::vector<LogitStream>& streams, const std::vector<LogitStream>& fit) {
  check(Exit::usage, fit.size() == streams.size(), "fuse: {} streams, but weights are to be fitted on {}",
        streams.size(), fit.size());
  for (std::size_t s = 0; s < streams.size(); ++s) {
    check(Exit::data, fit[s].logits.labels == streams[s].logits.labels,
          "fuse: {} has other classes in {} than in {}; both must come from one net", streams[s].name,
          fit[s].logits.path, streams[s].logits.path);
    const std::set<std::string> reported(streams[s].logits.names.begin(), streams[s].logits.names.end());
    for (const std::string& name : fit[s].logits.names)
      check(Exit::data, !reported.contains(name),
            "fuse: {} of {} would fit the weights and be reported; fit on another part of the data", shown(name),
            fit[s].logits.path);
  }
  const std::set<std::string> reported = faces_of(streams);
  for (const std::string& face : faces_of(fit))
    check(
        Exit::data, !reported.contains(face),
        "fuse: a sample of {} with the name and the scores of one of {} would fit the weights and be reported; fit on "
        "another part of the data",
        fit.front().logits.path, streams.front().logits.path);
}

Gain gain_of(const std::vector<Prediction>& fused, const std::vector<Prediction>& single, std::uint64_t seed) {
  Gain gain;
  std::vector<int> difference;
  for (std::size_t i = 0; i < fused.size(); ++i) {
    const bool a = fused[i].top[0] == fused[i].label, b = single[i].top[0] == single[i].label;
    difference.push_back(a - b);
    gain.better += a && !b, gain.worse += b && !a;
  }
  const auto n = static_cast<i64>(difference.size());
  gain.top1 = static_cast<double>(gain.better - gain.worse) / static_cast<double>(n);
  std::vector<double> resampled;
  for (std::uint32_t round = 0; round < 1000; ++round) {
    Sequence draw(seed, round, 0xFA1Bu);
    i64 sum = 0;
    for (i64 i = 0; i < n; ++i) sum += difference[static_cast<std::size_t>(draw.below(n))];
    resampled.push_back(static_cast<double>(sum) / static_cast<double>(n));
  }
  std::tie(gain.low, gain.high) = middle_95(std::move(resampled));
  return gain;
}

}  // namespace

Fusion fuse(const std::vector<LogitStream>& streams, const std::vector<LogitStream>& fit, std::uint64_t seed,
            const std::function<void(i64, i64)>& progress) {
  check(Exit::usage, streams.size() <= most_streams, "fuse: {} streams; all combinations of at most {} are reported",
        streams.size(), most_streams);
  if (!fit.empty()) check_apart(streams, fit);
  const Streams reported(streams), fitting(fit.empty() ? streams : fit);
  const Logits& like = reported.like();
  const std::vector<int> one(static_cast<std::size_t>(reported.samples())),
      all(static_cast<std::size_t>(fitting.samples()));
  Fusion fusion;
  fusion.set = fit.empty() ? halves(like.truth, like.classes(), seed) : one;
  std::vector<std::vector<Prediction>> singles;
  const std::vector<Some> combinations = subsets(streams.size());
  for (const Some& some : combinations) {
    Combination c{some, {}, {}, {}};
    if (!fit.empty()) c.weights = {fitted_weights(fitting.odds(some, all, -1), some.size())};
    for (int half = 0; half < 2 && fit.empty(); ++half)
      c.weights.push_back(fitted_weights(reported.odds(some, fusion.set, half), some.size()));
    fusion.predictions = reported.mixed(some, c.weights, fusion.set);
    c.fitted = figures(fusion.predictions, like.labels, seed, 1000);
    c.equal = figures(reported.mixed(some, {equal_weights(some.size())}, one), like.labels, seed, 0);
    if (some.size() == 1) singles.push_back(fusion.predictions);
    fusion.combinations.push_back(std::move(c));
    if (progress) progress(static_cast<i64>(fusion.combinations.size()), static_cast<i64>(combinations.size()));
  }
  const auto better = [](const Combination& a, const Combination& b) { return a.fitted.top1 < b.fitted.top1; };
  const auto first = fusion.combinations.begin();
  fusion.best_single = static_cast<std::size_t>(
      std::max_element(first, first + static_cast<std::ptrdiff_t>(streams.size()), better) - first);
  fusion.gain = gain_of(fusion.predictions, singles[fusion.best_single], seed);
  return fusion;
}

}  // namespace dactyl
