// What a set of predictions is worth: accuracies, F1, per class, confusion, with intervals.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "engine/tensor.h"

namespace dactyl {

struct Prediction {
  std::string name;             // the sample's
  int label = -1;               // the truth
  std::vector<int> top;         // up to 5 indices, best first
  std::vector<float> p, logit;  // of those
  double loss = 0;              // −log p of the truth
  std::vector<float> scores;    // logits of all classes, in the order of the labels
};

struct ClassScore {
  std::string label;
  i64 samples = 0, predicted = 0, hits = 0;
  double precision = 0, recall = 0, f1 = 0;  // 0 where undefined, as scikit-learn does
};

struct Metrics {
  i64 samples = 0;
  double top1 = 0, top5 = 0, class_average = 0, macro_f1 = 0, weighted_f1 = 0, loss = 0;
  double top1_low = 0, top1_high = 0;             // 95 %: Wilson's interval
  double macro_f1_low = 0, macro_f1_high = 0;     // 95 %: bootstrap, 1000 resamples, seeded
  double macro_f1_top10 = 0, macro_f1_top20 = 0;  // mean F1 of the 10 and 20 most frequent classes
  std::vector<ClassScore> per_class;
  std::vector<std::vector<i64>> confusion;  // [truth][prediction]
};
// Shares are in 0…1. macro F1 averages over classes that occur in truth or prediction; class average over classes that
// occur in truth. Without resamples the interval of macro F1 is the value itself; where all predictions are right or
// none is, resampling shows no spread, and it is the accuracy's.
Metrics measure(const std::vector<Prediction>&, const std::vector<std::string>& labels, std::uint64_t seed = 1,
                int resamples = 1000);
// Wilson's score interval, 95 %, of a share of which `hits` of `samples` were seen: never of no width (Wilson 1927).
std::pair<double, double> wilson_interval(i64 hits, i64 samples);
std::pair<double, double> middle_95(std::vector<double> values);  // the quantiles .025 and .975, interpolated
// The classes of which there are samples, the most frequent ones first, equally frequent ones in order; at most
// `count`.
std::vector<ClassScore> most_frequent(const Metrics&, std::size_t count);
double mean_f1(const std::vector<ClassScore>&);
std::string to_json(const Metrics&);  // one object: samples, top1, top5 … with the intervals, without the classes
// One factor per class for its samples' loss. maxratio: largest count / count; inverse: samples / (classes with
// samples · count), scikit-learn's "balanced"; none: 1. A class without samples gets 1. Usage error for another rule.
std::vector<double> class_weights(const std::string& rule, const std::vector<i64>& counts);  // none, maxratio, inverse

}  // namespace dactyl
