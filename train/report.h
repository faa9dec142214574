// What an evaluation leaves behind: figures, the confusion matrix, a sheet of predictions.
#pragma once

#include <string>
#include <vector>

#include "train/data/loader.h"
#include "train/metrics.h"

namespace dactyl {

// Into `folder` (made if absent): metrics.json, per_class.csv, confusion.csv and .svg .png, predictions.csv,
// logits.csv, predictions.svg and .png (one sample per class with what was recognised), f1_top10 and f1_top20 .csv .svg
// .png, bad_samples.csv. Pictures are drawn by gnuplot from scripts and data that stay beside them.
void write_report(const std::string& folder, const Metrics& metrics, const std::vector<Prediction>& predictions,
                  const DataSource& source, const std::vector<std::string>& labels, const std::vector<BadSample>& bad);

// The part of it that needs no pictures: metrics, per_class, confusion, predictions, logits, f1_top10 and f1_top20.
void write_figures(const std::string& folder, const Metrics& metrics, const std::vector<Prediction>& predictions,
                   const std::vector<std::string>& labels);

void write_bad_samples(const std::string& path, const std::vector<BadSample>& bad);  // CSV: name,reason

}  // namespace dactyl
