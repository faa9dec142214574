// What a net of optical flow was trained on, and whether data is that.
#pragma once

#include <optional>

#include "nets/nets.h"
#include "train/data/flow_recipe.h"
#include "train/data/source.h"
#include "weights/weights.h"

namespace dactyl {

// How the flow of a trained net was computed; none: it saw colours. Exit::model_file if it cannot be computed here.
std::optional<FlowRecipe> flow_of(const Passport&);
// Usage error naming both, if weights learnt from one kind of flow (or from flow, or from colours) would be given
// another. `flow` and `encoding` are empty for colours. `start`: the weights are only a beginning, and those of colours
// will do.
void require_flow(const Passport&, const std::string& flow, const std::string& encoding, bool start = false);
// Usage error where a net of clips would be given single pictures (repeated, they are a video in which nothing moves),
// or a net of pictures optical flow.
void require_clips(const Model&, const DataSource&);

}  // namespace dactyl
