// The scores of every sample in a table: what an evaluation hands on to a fusion, or to other programs.
#pragma once

#include <string>
#include <vector>

#include "train/metrics.h"

namespace dactyl {

struct Logits {
  std::string path;                 // it was read from
  std::vector<std::string> labels;  // one per class
  std::vector<std::string> names;   // of the samples, each once
  std::vector<int> truth;           // one per sample
  std::vector<float> values;        // (samples, classes)

  i64 samples() const { return static_cast<i64>(names.size()); }
  i64 classes() const { return static_cast<i64>(labels.size()); }
  const float* row(i64 sample) const { return values.data() + sample * classes(); }
};

// CSV: name,label, then one column per class; every digit of every score. Predictions need all their scores.
void write_logits(const std::string& path, const std::vector<Prediction>& predictions,
                  const std::vector<std::string>& labels);
// Throws Exit::data: path and line of another header, an unknown or doubled label, a sample that comes twice, a score
// that is no finite number.
Logits read_logits(const std::string& path);

}  // namespace dactyl
