// Opening what a run trains.
#include "train/run_subject.h"

#include <filesystem>

#include "train/flow_input.h"
#include "train/input_text.h"
#include "train/open_model.h"

namespace dactyl {
namespace {

// The weights learnt from what they will be given.
void take_flow(LoadedModel& loaded, const DataSource& source, const TrainOptions& o, bool start) {
  const std::string flow = source.flow(), encoding = flow.empty() ? "" : o.flow_encoding;
  require_flow(loaded.passport, flow, encoding, start);
  loaded.model.input.flow = flow;
  loaded.model.input.encoding = encoding;
}

// What is learnt from one class says that class of everything, and is right every time.
void require_classes(const DataSource& train, const std::string& data) {
  const std::vector<i64> counts = train.class_counts();
  std::vector<std::string> present;
  for (std::size_t c = 0; c < counts.size(); ++c)
    if (counts[c] > 0) present.push_back(train.labels()[c]);
  check(Exit::data, present.size() > 1,
        "{}: all {} training samples are of the class '{}', and one class cannot be told from anything; at least two "
        "are needed, each a folder or a label of its own",
        data, train.size(), present.empty() ? "" : present.front());
}

std::string name_in(const std::string& path) { return std::filesystem::path(path).filename().string(); }

}  // namespace

RunParts divided(std::shared_ptr<const DataSource> source, const TrainOptions& o, const std::string& splits) {
  RunParts parts;
  parts.source = std::move(source);
  parts.split = splits.empty() ? choose_split(*parts.source, o) : read_split(splits, *parts.source, true);
  parts.train = subset(parts.source, parts.split.train);
  parts.validation = subset(parts.source, parts.split.test);
  require_classes(*parts.train, o.data);
  parts.never_mirrored = never_mirrored(o.no_mirror, parts.source->labels());  // its faults come early
  return parts;
}

LoadedModel model_for(const TrainOptions& o, const DataSource& source, const SavedState* saved) {
  const ModelOptions how = model_options(o, source);
  LoadedModel loaded = saved ? LoadedModel{described(saved->passport(), how), saved->passport(), {}}
                             : open_for_training(o.model, o.weights, source.labels(), how);
  require_clips(loaded.model, source);
  take_flow(loaded, source, o, !saved);
  if (!o.resize.empty()) set_resize(loaded.model.input, o.resize);
  return loaded;
}

Subject subject_of(Model& model, const RunParts& parts, const TrainOptions& o) {
  const std::string origin =
      "trained by dactyl on " + name_in(o.data) + (o.weights.empty() ? "" : " from " + name_in(o.weights));
  return {model, *parts.train, *parts.validation, passport_of(model, parts.source->labels(), origin),
          parts.never_mirrored};
}

}  // namespace dactyl
