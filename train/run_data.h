// The samples a run learns from, and their division.
#pragma once

#include <optional>

#include "train/data/clip_samples.h"
#include "train/log.h"
#include "train/run_folder.h"
#include "train/trainer.h"

namespace dactyl {

// What options.data names, as pictures, clips or flow, on the current device. Cached flow is computed once, into
// flow.pack in the run folder. A run that goes on (not `fresh`) keeps its labels.
std::shared_ptr<const DataSource> open_data(const TrainOptions& options, const RunFolder& folder, bool fresh,
                                            const Log& log);
// Of optical flow how it is to be computed: what is not asked for is as a store in options.data has it.
std::optional<FlowRecipe> flow_wanted(const TrainOptions& options);
// Which samples, and which of their frames.
SampleChoice sample_choice(const TrainOptions& options);
// Size, length and channels of the net for these samples.
ModelOptions model_options(const TrainOptions& options, const DataSource& source);
Split choose_split(const DataSource& source, const TrainOptions& options);

}  // namespace dactyl
