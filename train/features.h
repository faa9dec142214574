// The frozen-backbone shortcut: what the backbone says of every picture is computed once, the head learns from that.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "train/feed.h"
#include "train/metrics.h"

namespace dactyl {

struct Features {
  i64 views = 1;
  Tensor rows;                 // f32 (views · samples, F) on the CPU; view v of sample i in row v · samples + i
  std::vector<bool> good;      // by sample: whether it could be read
  std::vector<BadSample> bad;  // those that could not
};

using Advance = std::function<void(i64 pictures)>;

// One view is the centred picture; of several, view v is the picture as augmented in epoch v. The backbone runs as in
// inference: its dropout is off and its normalisation uses the stored statistics.
Features compute_features(const Model& model, const DataSource& source, const LoaderOptions& options, i64 views,
                          DType dtype, const Advance& advance);

// Epoch e learns from view e mod views; samples and labels come in the order, and bad samples are replaced, as with
// pictures.
std::unique_ptr<Feed> feature_feed(const Model& model, const DataSource& source, const Features& features,
                                   const LoaderOptions& options, DType dtype);

// Predictions from the first view of every good sample, in order.
std::vector<Prediction> predict_features(const Model& model, const DataSource& source, const Features& features,
                                         i64 batch, DType dtype);

// A set of features as a file; reading returns false if it is absent, damaged or not marked with `key`.
void write_features(const std::string& path, const std::string& key, const Features& train, const Features& validation);
bool read_features(const std::string& path, const std::string& key, Features& train, Features& validation);

}  // namespace dactyl
