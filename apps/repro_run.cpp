// One run of a paper: recipe, deviations, training, what it left behind.
#include <algorithm>
#include <filesystem>
#include <iostream>
#include <set>

#include "apps/repro.h"

namespace dactyl {
namespace {

namespace fs = std::filesystem;
using Texts = std::vector<std::string>;

std::string absolute(const std::string& path) {
  return path.empty() ? path : fs::absolute(path).lexically_normal().string();
}

// Beside the program, as built or as installed, else where it was configured.
std::string recipe_folder(const std::string& wanted) {
  std::error_code ignored;
  const fs::path program = fs::read_symlink("/proc/self/exe", ignored).parent_path();
  for (const fs::path& folder :
       {fs::path(wanted), program / "../train/recipes", program / "../share/dactyl/recipes", fs::path(DACTYL_RECIPES)})
    if (!folder.empty() && (fs::is_directory(folder, ignored) || folder == wanted))
      return folder.lexically_normal().string();
  fail(Exit::usage, "repro: the recipes are not beside the program; give their folder: --recipes DIR", {});
}

std::string joined(const Texts& texts) {
  std::string text;
  for (const std::string& t : texts) text += (text.empty() ? "" : ", ") + t;
  return text.empty() ? "none" : text;
}

void take(TrainOptions& options, const Given& given) {
  for (const Setting& s : train_settings())
    if (const auto found = given.find(s.name); found != given.end()) s.set(options, found->second);
}

Given for_run(Given given, const PaperRun& run) {
  for (const std::string& setting : run.fixed) given.erase(setting);
  return given;
}

// Settings that differ and are more than where and from what something is computed.
Texts differences(const TrainOptions& from, const TrainOptions& to, const std::set<std::string>& apart) {
  Texts list;
  for (const Setting& s : train_settings()) {
    if (s.may_change || apart.contains(s.name)) continue;
    const std::string before = joined(s.get(from)), after = joined(s.get(to));
    if (before != after) list.push_back(s.name + " " + after + " instead of " + before);
  }
  return list;
}

Json read_json(const std::string& path) {
  Json json = Json::parse(text_file(path, Exit::data), nullptr, false);
  check(Exit::data, json.is_object(), "{}: is damaged; remove its folder to run it anew", path);
  return json;
}

// A run goes on with its own settings alone.
void require_same(const TrainOptions& options) {
  const std::string config = options.out + "/config.toml";
  if (!fs::exists(config)) return;
  const Texts changed = differences(read_config(config), options, {"out"});
  check(Exit::usage, changed.empty(), "{}: its run was begun with other settings: {}; take those, or another --out",
        options.out, changed.empty() ? "" : changed.front());
}

// Trains what is left to train.
void complete(const TrainOptions& options, const std::string& name) {
  if (fs::exists(options.out + "/eval/metrics.json")) return;
  const TrainResult result = train(options, fs::exists(options.out + "/config.toml"));
  if (result.exit != Exit::good)
    throw Error(result.exit, name + ": stopped at step " + to_text(result.steps) +
                                 "; the state is saved, the same command goes on from here");
}

void add_start(ReproRun& run, const std::string& weights) {
  run.start = weights.empty() ? "random weights" : fs::path(weights).filename().string();
  if (weights.empty())
    run.deviations.push_back(run.paper->name + ": begins with random weights, the paper with " + run.paper->start +
                             "; --weights-" + run.paper->name + " FILE gives some");
}

}  // namespace

ReproRun run_paper(const Paper& paper, const PaperRun& run, const ReproOptions& o) {
  const std::string recipe = recipe_folder(o.recipes) + "/" + run.recipe + ".toml";
  TrainOptions asked = read_config(recipe);
  take(asked, run.extra);
  TrainOptions options = asked;
  take(options, for_run(o.given, run));
  const auto weights = o.weights.find(run.name);
  options.weights = weights == o.weights.end() ? "" : absolute(weights->second);
  options.data = absolute(o.data);
  options.out = absolute(o.out + "/" + run.name);
  for (std::string* path : {&options.splits, &options.no_mirror}) *path = absolute(*path);

  ReproRun done{.paper = &run,
                .folder = options.out,
                .recipe = text_file(recipe, Exit::usage),
                .start = "",
                .deviations = {},
                .metrics = {}};
  for (const std::string& text : differences(asked, options, {"data", "weights", "out", "seed"}))
    done.deviations.push_back(run.name + ": " + text);
  add_start(done, options.weights);
  require_same(options);
  std::cerr << "\n" << paper.verb << ", " << run.name << ": " << recipe << '\n';
  for (const std::string& text : done.deviations) std::cerr << "deviation: " << one_line(text) << '\n';
  complete(options, run.name);
  done.metrics = read_json(done.folder + "/eval/metrics.json");
  done.classes = static_cast<i64>(read_json(done.folder + "/labels.json").size());
  const Json splits = read_json(done.folder + "/splits.json");
  done.training = static_cast<i64>(splits.value("train", Json::array()).size());
  done.testing = static_cast<i64>(splits.value("test", Json::array()).size());
  return done;
}

std::vector<std::string> data_deviations(const Paper& paper, const std::vector<ReproRun>& runs) {
  if (runs.empty()) return {};
  const ReproRun& run = runs.front();
  const i64 samples = run.training + run.testing;
  if (run.classes == paper.classes && samples == paper.samples)
    return {"the data: as many classes and samples, but others"};
  return {"the data: " + to_text(run.classes) + " classes with " + to_text(samples) +
          " samples; the paper's: " + to_text(paper.classes) + " classes" +
          (paper.samples ? " with " + to_text(paper.samples) + " samples" : "") + ", " + paper.data};
}

}  // namespace dactyl
