// Samples with labels and names, whatever they are made of.
#pragma once

#include <string>
#include <vector>

#include "engine/check.h"

namespace dactyl {

class Labelled {
 public:
  virtual ~Labelled() = default;
  virtual i64 size() const = 0;
  virtual int label(i64 i) const = 0;
  virtual std::string name(i64 i) const = 0;  // a path, or what identifies the sample in reports and splits
  virtual const std::vector<std::string>& labels() const = 0;
  std::vector<i64> class_counts() const;
};

// Names without the folder that all of them share: the same wherever the data lies.
std::vector<std::string> without_common_folder(std::vector<std::string> names);

// The labels of which there are at least `min_per_class` samples, of these the `top_classes` most frequent (0: all; of
// equally frequent ones the first), in the order they had. Throws Exit::data where none is left.
std::vector<std::string> frequent_labels(const Labelled&, i64 min_per_class, i64 top_classes);
// The samples whose label is one of these.
std::vector<i64> samples_of_classes(const Labelled&, const std::vector<std::string>& labels);
// For each sample its label's index among `labels`; throws for a sample whose label is none of them.
std::vector<int> renumbered_labels(const Labelled&, const std::vector<i64>& samples,
                                   const std::vector<std::string>& labels);

}  // namespace dactyl
