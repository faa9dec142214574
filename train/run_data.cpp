// Opening and dividing data as a run's options say.
#include "train/run_data.h"

#include <chrono>
#include <filesystem>

#include "train/data/clip_samples.h"
#include "train/data/flow_clips.h"
#include "train/data/pack.h"
#include "train/flow_input.h"
#include "train/open_model.h"

namespace dactyl {
namespace {

FrameChoice frame_choice(const TrainOptions& o) {
  return {parse_sampling(o.clips), parse_sampling(o.test_clips), o.seed};
}

std::optional<FlowRecipe> flow_wanted(const TrainOptions& o) {
  if (o.flow == "none") return {};
  return FlowRecipe{.algorithm = o.flow_algo, .side = o.flow_side};
}

// A store of the flow of all frames, made once; whole videos take a while, so that is said.
void make_store(const std::string& store, const TrainOptions& o, const FlowRecipe& recipe, const Log& log) {
  log.say("computing the flow of " + o.data + " once, into " + store);
  const auto start = std::chrono::steady_clock::now();
  const PackReport report = write_pack(store, *open_flow(o.data, {}, recipe, Context::current().device()));
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

// What is read: the data itself, or of cached flow a store.
std::string path_of(const TrainOptions& o, const RunFolder& folder, const Log& log) {
  if (o.flow != "cached" || (is_pack(o.data) && !open_pack(o.data)->flow().empty())) return o.data;
  const std::string store = folder / "flow.pack";
  const FlowRecipe recipe = *flow_wanted(o);
  if (!o.weights.empty())
    require_flow(passport_in(o.weights), to_text(recipe), o.flow_encoding, true);  // before the work
  if (std::filesystem::exists(store))
    require_unchanged(store);
  else
    make_store(store, o, recipe, log);
  return store;
}

}  // namespace

std::shared_ptr<const DataSource> open_data(const TrainOptions& o, const RunFolder& folder, bool fresh,
                                            const Log& log) {
  const std::vector<std::string> known = fresh ? std::vector<std::string>{} : folder.read_labels();
  return open_samples(path_of(o, folder, log), known,
                      {.frames = frame_choice(o),
                       .classes = o.classes,
                       .flow = flow_wanted(o),
                       .device = Context::current().device(),
                       .frame_folders = o.frame_folders});
}

Split choose_split(const DataSource& source, const TrainOptions& o) {
  if (!o.splits.empty()) return read_split(o.splits, source);
  if (!o.split_by.empty()) return split_by_group(source, o.split_by, o.test_groups);
  return split_by_share(source, o.split, o.seed);
}

}  // namespace dactyl
