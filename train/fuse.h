// Late fusion: what several nets say about the same samples, made one prediction.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "train/logits.h"

namespace dactyl {

struct LogitStream {
  std::string name;
  Logits logits;
};

struct Missing {
  std::string stream;
  i64 samples;          // that others have and it lacks
  std::string example;  // the first of them
};
// Reduces streams to the samples that all of them have, in order of name, and says what that left out. Samples are the
// same if their names are; where no name is in all streams, names count without the folder that all of a stream share.
// Throws Exit::data where labels or truths differ, or nothing is left.
std::vector<Missing> join(std::vector<LogitStream>& streams);

constexpr double least_probability = 1e-300;  // smaller ones count as this, whose logarithm is a number

// What each of several streams says of the truth: its probability, one row per sample.
using TruthOdds = std::vector<std::vector<double>>;
// The weights, none below 0 and 1 in sum, with which the mean of −log(Σ weight · probability) is least, to 1e-7; equal
// ones without samples. The problem is convex; it is solved by expectation maximisation, as weights of a mixture.
std::vector<double> fitted_weights(const TruthOdds& odds, std::size_t streams);

std::vector<double> equal_weights(std::size_t streams);

// The samples of each class dealt into two halves, 0 and 1, by a seed.
std::vector<int> halves(const std::vector<int>& truth, i64 classes, std::uint64_t seed);

struct Combination {
  std::vector<std::size_t> streams;          // which of them, ascending
  std::vector<std::vector<double>> weights;  // one set; or two, that of either half fitted on the other half
  Metrics fitted, equal;                     // with these weights, and with equal ones; without classes and confusion

  std::vector<double> mean_weights() const;
};

// Accuracy of all streams less that of the best single one.
struct Gain {
  double top1 = 0, low = 0, high = 0;  // 95 %: paired bootstrap, 1000 resamples
  i64 better = 0, worse = 0;           // samples that only the fusion, and only the single stream got right
};

struct Fusion {
  std::vector<int> set;                   // of each sample: which of the sets of weights it got
  std::vector<Combination> combinations;  // all there are, small ones first; the last one: all streams
  std::size_t best_single = 0;            // by accuracy on the reported samples, of equally good ones the first
  Gain gain;
  std::vector<Prediction> predictions;  // of all streams with fitted weights; scores are log-probabilities
};

constexpr std::size_t most_streams = 8;

// All combinations of joined streams: weighted means of their softmax probabilities. Weights are fitted on `fit`, the
// same streams on other samples; where that is empty, by halves: each half's weights come from the other one, so that
// no sample's weights depend on its own label. Exit::data where `fit` holds a sample that is reported or has other
// labels, Exit::usage for more than most_streams.
Fusion fuse(const std::vector<LogitStream>& streams, const std::vector<LogitStream>& fit, std::uint64_t seed,
            const std::function<void(i64 done, i64 all)>& progress = {});

}  // namespace dactyl
