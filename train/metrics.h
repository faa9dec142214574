// What a set of predictions is worth: accuracies, F1, per class, confusion, with bootstrap intervals.
#pragma once

#include <string>
#include <vector>

#include "engine/tensor.h"

namespace dactyl {

struct Prediction {
  std::string name;             // the sample's
  int label = -1;               // the truth
  std::vector<int> top;         // up to 5 indices, best first
  std::vector<float> p, logit;  // of those
  double loss = 0;              // −log p of the truth
};

struct ClassScore {
  std::string label;
  i64 samples = 0, predicted = 0, hits = 0;
  double precision = 0, recall = 0, f1 = 0;  // 0 where undefined, as scikit-learn does
};

struct Metrics {
  i64 samples = 0;
  double top1 = 0, top5 = 0, class_average = 0, macro_f1 = 0, weighted_f1 = 0, loss = 0;
  double top1_low = 0, top1_high = 0, macro_f1_low = 0, macro_f1_high = 0;  // 95 %, 1000 resamples, seeded
  std::vector<ClassScore> per_class;
  std::vector<std::vector<i64>> confusion;  // [truth][prediction]
};
// Shares are in 0…1. macro F1 averages over classes that occur in truth or prediction; class average over classes that
// occur in truth. Without resamples the intervals are the values themselves.
Metrics measure(const std::vector<Prediction>&, const std::vector<std::string>& labels, std::uint64_t seed = 1,
                int resamples = 1000);
std::string to_json(const Metrics&);  // one object: samples, top1, top5 … with the intervals, without the classes
// One factor per class for its samples' loss. maxratio: largest count / count; inverse: samples / (classes · count);
// none: 1. A class without samples gets 1. Usage error for another rule.
std::vector<double> class_weights(const std::string& rule, const std::vector<i64>& counts);  // none, maxratio, inverse

}  // namespace dactyl
