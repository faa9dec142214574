// One run of a paper: recipe, deviations, training, what it left behind.
#include <algorithm>
#include <filesystem>
#include <iostream>

#include "apps/repro.h"

namespace dactyl {
namespace {

namespace fs = std::filesystem;

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

void take(TrainOptions& options, const Given& given) {
  for (const Setting& s : train_settings())
    if (const auto found = given.find(s.name); found != given.end()) s.set(options, found->second);
}

Given for_run(Given given, const PaperRun& run) {
  for (const std::string& setting : run.fixed) given.erase(setting);
  return given;
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
  std::string changed;
  for (const Difference& d : differences(read_config(config), options, {"out"}))
    changed += (changed.empty() ? "" : ", ") + d.name + " " + d.before + " (now " + d.now + ")";
  check(Exit::usage, changed.empty(), "{}: its run was begun with other settings: {}; take those, or another --out",
        options.out, changed);
}

bool done(const TrainOptions& options) { return fs::exists(options.out + "/eval/metrics.json"); }

// Trains what is left to train.
void train_rest(const TrainOptions& options, const std::string& name) {
  const TrainResult result = train(options, fs::exists(options.out + "/config.toml"));
  if (result.exit != Exit::good)
    throw Error(result.exit, name + ": stopped at step " + to_text(result.steps) +
                                 "; the state is saved, the same command goes on from here");
}

// All that training would find wrong before its first step, and what the weights say of themselves.
Passport rehearsed(const PaperRun& run, const TrainOptions& options) {
  try {
    return rehearse(options);
  } catch (const Error& error) {
    throw Error(error.exit(), run.name + ": " + error.what());
  }
}

// Weights rarely say enough to be recognised as the paper's, so others they are, unless the user says not.
void add_start(ReproRun& run, const Passport& passport, const ReproOptions& o) {
  const std::string &weights = run.options.weights, &name = run.paper->name;
  const std::string told =
      passport.origin.empty() ? "it does not say where it is from" : "its origin: " + passport.origin;
  const bool same = std::find(o.same_start.begin(), o.same_start.end(), name) != o.same_start.end();
  check(Exit::usage, !same || !weights.empty(),
        "--same-start {}: it begins with random weights; give --weights-{} FILE", name, name);
  run.start = weights.empty() ? "random weights" : fs::path(weights).filename().string();
  const std::string paper = ", " + run.paper->whose + " with " + run.paper->start;
  if (weights.empty())
    run.deviations.push_back("begins with random weights" + paper + "; --weights-" + name + " FILE gives some");
  else if (!same)
    run.deviations.push_back("begins with " + run.start + " (" + told + ")" + paper);
  else
    run.start += " (" + told + "); the paper's, by the word of --same-start";
}

}  // namespace

ReproRun prepare(const PaperRun& run, const ReproOptions& o) {
  const std::string recipe = recipe_folder(o.recipes) + "/" + run.recipe + ".toml";
  TrainOptions asked = read_config(recipe);
  take(asked, run.extra);
  TrainOptions options = asked;
  take(options, for_run(o.given, run));
  if (const auto only = o.only.find(run.name); only != o.only.end()) take(options, for_run(only->second, run));
  const auto weights = o.weights.find(run.name);
  options.weights = weights == o.weights.end() ? "" : absolute(weights->second);
  options.data = absolute(o.data);
  options.out = absolute(o.out + "/" + run.name);
  for (std::string* path : {&options.splits, &options.no_mirror}) *path = absolute(*path);
  require_same(options);

  ReproRun ready{.paper = &run,
                 .options = options,
                 .folder = options.out,
                 .recipe = text_file(recipe, Exit::usage),
                 .start = "",
                 .deviations = {},
                 .metrics = {}};
  for (const Difference& d : differences(asked, options, {"data", "weights", "out", "seed"}))
    ready.deviations.push_back(d.name + " " + d.now + " instead of " + d.before);
  add_start(ready, rehearsed(run, options), o);
  return ready;
}

void complete(const Paper& paper, ReproRun& run) {
  const std::string& name = run.paper->name;
  if (done(run.options)) {
    std::cerr << paper.verb << ", " << name << ": done already, in " << one_line(run.folder) << '\n';
  } else {
    std::cerr << "\n" << paper.verb << ", " << name << ": " << run.paper->recipe << ".toml\n";
    train_rest(run.options, name);
  }
  run.metrics = read_json(run.folder + "/eval/metrics.json");
  run.classes = static_cast<i64>(read_json(run.folder + "/labels.json").size());
  const Json splits = read_json(run.folder + "/splits.json");
  run.training = static_cast<i64>(splits.value("train", Json::array()).size());
  run.testing = static_cast<i64>(splits.value("test", Json::array()).size());
}

}  // namespace dactyl
