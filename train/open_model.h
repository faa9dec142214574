// How models are opened inside the training folder: with a new head, from a checkpoint already in memory.
#pragma once

#include "train/trainer.h"

namespace dactyl {

Passport passport_in(const std::string& weights);  // of a file or a run folder
// For fine-tuning on `labels`: the head is new unless the file was trained on exactly these labels.
LoadedModel open_for_training(const std::string& name, const std::string& weights,
                              const std::vector<std::string>& labels, ModelOptions options);
// A net with `classes` outputs and a file's weights; a new head keeps its initial values.
LoadedModel pour(const std::string& name, const Checkpoint& file, i64 classes, ModelOptions options, bool new_head);
// The net a passport describes, its weights not yet filled.
Model described(const Passport& passport, ModelOptions options);
// What a file with this model's weights must say about itself.
Passport passport_of(const Model& model, std::vector<std::string> labels, const std::string& origin);

}  // namespace dactyl
