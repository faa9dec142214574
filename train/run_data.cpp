// Opening and dividing data as a run's options say.
#include "train/run_data.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <map>

#include "train/data/clip_samples.h"
#include "train/data/flow_clips.h"
#include "train/data/loader.h"
#include "train/data/pack.h"
#include "train/flow_input.h"
#include "train/open_model.h"

namespace dactyl {
namespace {

// How the flow in the data was computed, where it is a store.
std::string stored_flow(const TrainOptions& o) { return is_pack(o.data) ? open_pack(o.data)->flow() : ""; }

// A store of the flow of all frames, made once; whole videos take a while, so that is said.
void make_store(const std::string& store, const TrainOptions& o, const ClipSource& flow, const Log& log) {
  log.say("computing the flow of " + o.data + " once, into " + store);
  const auto start = std::chrono::steady_clock::now();
  const PackReport report = write_pack(store, flow, {.threads = static_cast<int>(o.threads)});
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  log.say("flow of " + to_text(report.frames) + " frames, " +
          to_text(static_cast<i64>(static_cast<double>(report.frames) / seconds)) + " per second");
  for (const std::string& reason : report.bad) log.say("left out: " + reason);
}

void require_unchanged(const std::string& store) {
  const std::vector<std::string> changed = changed_sources(store);
  check(Exit::data, changed.empty(),
        "{}: {} of its sources changed since their flow was computed, the first: {}; "
        "delete the store to compute it anew",
        store, changed.size(), changed.empty() ? "" : changed.front());
}

bool readable(const ClipSource& flow, i64 i) {
  try {
    flow.all_frames(i);
    return true;
  } catch (const Error& error) {
    if (error.exit() != Exit::data) throw;
    return false;
  }
}

// Of the classes that are learnt, as many samples may be left out as while training (LoaderOptions).
void require_few(const std::string& store, const ClipSource& flow, const std::vector<i64>& bad, const TrainOptions& o) {
  const std::vector<i64> counts = flow.class_counts();
  const std::vector<std::string> learnt = frequent_labels(flow, o.classes.min_per_class, o.classes.top_classes);
  for (std::size_t c = 0; c < bad.size(); ++c) {
    const double limit = o.bad_limit * static_cast<double>(counts[c]);
    const std::string& label = flow.labels()[c];
    check(
        Exit::data,
        bad[c] <= LoaderOptions{}.bad_few || static_cast<double>(bad[c]) <= limit ||
            std::find(learnt.begin(), learnt.end(), label) == learnt.end(),
        "{}: {} of the {} videos of class \"{}\" cannot be read (log.txt says why), the limit is {} %; mend or remove "
        "them and delete the store, or raise --bad-limit",
        store, bad[c], counts[c], label, 100 * o.bad_limit);
  }
}

// A new run's store must be of its data: no other samples, and none left out but those that cannot be read.
void require_complete(const std::string& store, const ClipSource& flow, const TrainOptions& o) {
  std::map<std::string, std::string> left;  // the store's samples that the data has not had yet -> label
  const auto stored = open_pack(store);
  for (i64 i = 0; i < stored->size(); ++i)
    left[stored->name(i)] = stored->labels()[static_cast<std::size_t>(stored->label(i))];
  std::vector<i64> bad(flow.labels().size());
  const std::string otherwise = "; delete it to compute it anew, or choose another --out";
  for (i64 i = 0; i < flow.size(); ++i) {
    const auto label = static_cast<std::size_t>(flow.label(i));
    const auto found = left.find(flow.name(i));
    if (found == left.end()) {
      check(Exit::data, !readable(flow, i), "{}: holds no flow of {}, which the data has{}", store, flow.name(i),
            otherwise);
      ++bad[label];
      continue;
    }
    check(Exit::data, found->second == flow.labels()[label], "{}: {} is of the class {} there, in the data of {}{}",
          store, flow.name(i), found->second, flow.labels()[label], otherwise);
    left.erase(found);
  }
  check(Exit::data, left.empty(), "{}: holds flow of other data, such as {}{}", store,
        left.empty() ? "" : left.begin()->first, otherwise);
  require_few(store, flow, bad, o);
}

// What is read: the data itself, or of cached flow a store.
std::string path_of(const TrainOptions& o, const RunFolder& folder, bool fresh, const Log& log) {
  if (o.flow != "cached" || !stored_flow(o).empty()) return o.data;
  const std::string store = folder / "flow.pack";
  const FlowRecipe recipe = *flow_wanted(o);
  if (!o.weights.empty())
    require_flow(passport_in(o.weights), to_text(recipe), o.flow_encoding, true);  // before the work
  const auto flow = open_flow(o.data, {}, recipe, Context::current().device(), o.frame_folders);
  if (std::filesystem::exists(store))
    require_unchanged(store);
  else
    make_store(store, o, *flow, log);
  if (fresh) require_complete(store, *flow, o);
  return store;
}

}  // namespace

std::optional<FlowRecipe> flow_wanted(const TrainOptions& o) {
  if (o.flow == "none") return {};
  const std::string stored = stored_flow(o);
  FlowRecipe recipe = stored.empty() ? FlowRecipe{} : flow_recipe(stored);
  if (!o.flow_algo.empty()) recipe.algorithm = o.flow_algo;
  if (o.flow_side > 0) recipe.side = o.flow_side;
  return recipe;
}

SampleChoice sample_choice(const TrainOptions& o) {
  return {.frames = {parse_sampling(o.clips), parse_sampling(o.test_clips), o.seed},
          .classes = o.classes,
          .flow = flow_wanted(o),
          .device = Context::current().device(),
          .frame_folders = o.frame_folders};
}

// A single frame of a video is a picture.
ModelOptions model_options(const TrainOptions& o, const DataSource& source) {
  const bool clips = source.frames() > 1;
  const i64 channels = source.flow().empty() ? source.channels() : channels_of(flow_encoding(o.flow_encoding));
  return {.height = o.input,
          .width = o.input,
          .frames = clips ? source.frames() : 0,
          .channels = clips ? channels : 0,
          .auxiliary = o.weights.empty(),  // random side classifiers would disturb a trained net
          .dropout = o.dropout,
          .seed = o.seed};
}

std::shared_ptr<const DataSource> open_data(const TrainOptions& o, const RunFolder& folder, bool fresh,
                                            const Log& log) {
  const std::vector<std::string> known = fresh ? std::vector<std::string>{} : folder.read_labels();
  return open_samples(path_of(o, folder, fresh, log), known, sample_choice(o));
}

Split choose_split(const DataSource& source, const TrainOptions& o) {
  if (!o.splits.empty()) return read_split(o.splits, source);
  if (!o.split_by.empty()) return split_by_group(source, o.split_by, o.test_groups);
  return split_by_share(source, o.split, o.seed);
}

}  // namespace dactyl
