// Which steps belong to which stage, which parameters learn in it, and which classes keep their handedness.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "train/trainer.h"

namespace dactyl {

struct StagePlan {
  Stage stage;
  i64 first = 0, end = 0;  // its steps: first … end − 1, counted over the whole run
};
std::vector<StagePlan> plan_stages(const std::vector<Stage>& stages, i64 steps_per_epoch);

// Whether a parameter learns in a stage of this kind (head, all, until=LAYER) with this --freeze (until=LAYER or "").
// Usage error listing the layers if LAYER is none of them.
std::function<bool(const Parameter&)> learns(const Model& model, const std::string& what, const std::string& freeze);

// By label, whether the file (a label per line; "": none) names it. Exit::data for a file that cannot be read and for a
// name that is no label.
std::vector<bool> never_mirrored(const std::string& path, const std::vector<std::string>& labels);

}  // namespace dactyl
