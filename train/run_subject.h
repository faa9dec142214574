// What a run trains, on what: the parts of its data and its net, opened as its options say.
#pragma once

#include "train/run_data.h"
#include "train/training.h"

namespace dactyl {

struct RunParts {
  std::shared_ptr<const DataSource> source;  // the parts below refer to it
  Split split;
  std::shared_ptr<const DataSource> train, validation;
  std::vector<bool> never_mirrored;  // by label
};

// The data, divided anew, or as `splits` has it where that is not empty. Exit::data if a part cannot be learnt from.
RunParts divided(std::shared_ptr<const DataSource> source, const TrainOptions& options, const std::string& splits);
// The net for this data on the CPU: new or from options.weights, or without its values that of a saved run.
LoadedModel model_for(const TrainOptions& options, const DataSource& source, const SavedState* saved);
// Refers to the model and the parts.
Subject subject_of(Model& model, const RunParts& parts, const TrainOptions& options);

}  // namespace dactyl
