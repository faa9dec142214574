// Pieces of a forward pass shared by training, evaluation and the cached features.
#pragma once

#include "train/data/loader.h"
#include "train/metrics.h"

namespace dactyl {

// A batch's bytes as the network's input.
Tensor input_of(const Batch& batch, const InputSpec& input, DType dtype);
// One sample's prediction from its scores; equal scores rank by index.
Prediction predicted(const std::string& name, int label, const float* logits, i64 classes);

}  // namespace dactyl
