// Cutting the run into stages, and the net into learning and frozen layers.
#include "train/stage_plan.h"

#include <algorithm>
#include <fstream>

namespace dactyl {
namespace {

// The place of the layer "until=LAYER" names in the order from input to output.
std::size_t layer_index(const Model& model, const std::string& until) {
  const std::string name = until.substr(std::string("until=").size());
  const auto found = std::find(model.order.begin(), model.order.end(), name);
  std::string list;
  for (const std::string& layer : model.order) list += (list.empty() ? "" : " ") + layer;
  check(Exit::usage, found != model.order.end(), "'{}': {} has no layer {}; its layers are {}", until, model.name, name,
        list);
  return static_cast<std::size_t>(found - model.order.begin());
}

// The layer a parameter belongs to: the longest layer name its own begins with.
std::size_t layer_of(const Model& model, const std::string& parameter) {
  std::size_t best = model.order.size(), length = 0;
  for (std::size_t i = 0; i < model.order.size(); ++i) {
    const std::string& layer = model.order[i];
    if (layer.size() <= length || !parameter.starts_with(layer) || parameter.size() == layer.size()) continue;
    const char next = parameter[layer.size()];
    if (next != '.' && next != '/') continue;
    best = i;
    length = layer.size();
  }
  return best;
}

}  // namespace

std::vector<StagePlan> plan_stages(const std::vector<Stage>& stages, i64 steps_per_epoch) {
  std::vector<StagePlan> plan;
  i64 step = 0;
  for (const Stage& stage : stages) {
    const i64 steps = steps_in(stage, steps_per_epoch);
    plan.push_back({stage, step, step + steps});
    step += steps;
  }
  return plan;
}

std::function<bool(const Parameter&)> learns(const Model& model, const std::string& what, const std::string& freeze) {
  std::size_t first = freeze.empty() ? 0 : layer_index(model, freeze);
  if (what.starts_with("until=")) first = std::max(first, layer_index(model, what));
  const bool head = what == "head";
  return [&model, first, head](const Parameter& p) {
    if (model.in_head(p.name)) return true;
    return !head && layer_of(model, p.name) >= first;
  };
}

std::vector<bool> never_mirrored(const std::string& path, const std::vector<std::string>& labels) {
  if (path.empty()) return {};
  std::vector<bool> never(labels.size());
  std::ifstream file(path);
  check(Exit::data, file.good(), "--no-mirror {}: cannot be read", path);
  for (std::string line; std::getline(file, line);) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (line.empty()) continue;
    const auto found = std::find(labels.begin(), labels.end(), line);
    check(Exit::data, found != labels.end(), "--no-mirror {}: no class is called '{}'", path, line);
    never[static_cast<std::size_t>(found - labels.begin())] = true;
  }
  return never;
}

}  // namespace dactyl
