// dactyl eval: what a model's predictions are worth.
#include <chrono>
#include <filesystem>
#include <iostream>
#include <optional>

#include "apps/cli.h"

namespace dactyl {
namespace {

struct EvalOptions {
  ModelChoice choice;
  Place place;
  std::string data, splits, part, out, clips;
  i64 batch = 32;
  int views = 1;
  bool json = false, frame_folders = false;
};

// What is evaluated: all of --data, or a part of a run's own data as the run divided it.
struct Samples {
  std::shared_ptr<const DataSource> source;
  std::string part;
};

bool is_folder(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::is_directory(path, ignored);
}

// A run's own test pictures are named in its folder; a model file alone has none.
void check_own(const std::string& run) {
  check(Exit::usage, !run.empty(), "which pictures? give --data, or --run for a run's own test pictures");
  check(Exit::usage, is_folder(run), "--run {}: only a run's folder has test pictures of its own; give --data", run);
  check(Exit::usage, std::filesystem::exists(run + "/config.toml"),
        "--run {}: no run is there (config.toml is missing); give --data", run);
}

// What a run was told; of a model without its run's folder nothing is known.
std::optional<TrainOptions> run_of(const EvalOptions& o) {
  const std::string config = o.choice.run + "/config.toml";
  if (!is_folder(o.choice.run) || !std::filesystem::exists(config)) return {};
  return read_config(config);
}

// Of videos the frames that --clips says, else those the run was validated on, else evenly spread ones.
FrameChoice clips_of(const EvalOptions& o, const std::optional<TrainOptions>& run, const InputSpec& input) {
  const int frames = static_cast<int>(std::max<i64>(input.frames, 1));
  ClipSampling sampling{.kind = Sampling::uniform, .frames = frames};
  if (!o.clips.empty()) {
    sampling = parse_sampling(o.clips);
    check(Exit::usage, sampling.frames == frames, "--clips {}: the net takes {} of a video's frames", o.clips, frames);
  } else if (run && parse_sampling(run->test_clips).frames == frames) {
    sampling = parse_sampling(run->test_clips);
  }
  return {sampling, sampling, 1};
}

// A run's own data; of flow the store it made, if it made one.
std::string data_of(const std::string& run, const TrainOptions& options) {
  const std::string store = run + "/flow.pack";
  return options.flow == "cached" && std::filesystem::exists(store) ? store : options.data;
}

Samples samples_of(const EvalOptions& o, const LoadedModel& loaded) {
  const bool own = o.data.empty();
  if (own) check_own(o.choice.run);
  const std::optional<TrainOptions> run = run_of(o);
  const std::string data = own ? data_of(o.choice.run, *run) : o.data;
  const std::string splits = !o.splits.empty() ? o.splits : own ? o.choice.run + "/splits.json" : "";
  const std::string part = !o.part.empty() ? o.part : splits.empty() ? "all" : "test";
  check(Exit::usage, part == "all" || !splits.empty(), "--part {}: needs --splits, or --run without --data", part);
  const Passport& passport = loaded.passport;
  const std::shared_ptr<const DataSource> all =
      open_samples(data, passport.labels,
                   {.frames = clips_of(o, run, loaded.model.input),
                    .classes = run ? run->classes : ClassChoice{},
                    .flow = flow_of(passport),
                    .device = Context::current().device(),
                    .frame_folders = o.frame_folders || (run && run->frame_folders)});
  require_clips(loaded.model, *all);
  require_flow(passport, all->flow(), all->flow().empty() ? "" : passport.encoding);
  if (part == "all") return {all, part};
  const Split split = read_split(splits, *all);
  return {subset(all, part == "test" ? split.test : split.train), part};
}

std::vector<Prediction> predictions_of(const EvalOptions& o, const Model& model, const DataSource& source,
                                       std::vector<BadSample>& bad) {
  Progress progress("evaluating", source.size(), "pictures");
  i64 seen = 0;
  const auto advance = [&](i64 done, i64) {
    progress.advance(done - seen);
    seen = done;
  };
  return evaluate(model, source,
                  {.batch = o.batch,
                   .views = o.views,
                   .threads = o.place.threads,
                   .dtype = dtype_of(o.place),
                   .bad = &bad,
                   .progress = advance});
}

void print(const Json& result) {
  const auto percent = [&](const Json& share) {
    char text[32];
    std::snprintf(text, sizeof text, "%.2f %%", 100 * share.get<double>());
    return std::string(text);
  };
  const auto interval = [&](const Json& pair) { return " (" + percent(pair[0]) + " to " + percent(pair[1]) + ")"; };
  std::cout << "samples         " << result["samples"] << "\ntop-1           " << percent(result["top1"])
            << interval(result["top1_interval"]) << "\ntop-5           " << percent(result["top5"])
            << "\nclass average   " << percent(result["class_average"]) << "\nmacro F1        "
            << percent(result["macro_f1"]) << interval(result["macro_f1_interval"]) << "\nweighted F1     "
            << percent(result["weighted_f1"]) << "\nF1 of top 10    " << percent(result["macro_f1_top10"])
            << "\nF1 of top 20    " << percent(result["macro_f1_top20"]) << '\n';
}

void eval(const EvalOptions& o) {
  const auto use = enter(o.place);
  const LoadedModel loaded = open_choice(o.choice, o.place);
  const std::vector<std::string>& labels = loaded.passport.labels;
  const Samples samples = samples_of(o, loaded);
  const std::string out = !o.out.empty() ? o.out : is_folder(o.choice.run) ? o.choice.run + "/eval" : "";
  if (!out.empty()) make_folder(out);  // now: what cannot be written is better said before the work
  if (!o.json) std::cerr << loaded.report.text();
  std::vector<BadSample> bad;
  const auto predictions = predictions_of(o, loaded.model, *samples.source, bad);
  check(Exit::data, !predictions.empty(), "eval: not one of {} samples can be read; the first: {}: {}",
        samples.source->size(), bad.empty() ? "" : bad.front().name, bad.empty() ? "" : bad.front().reason);
  const Metrics metrics = measure(predictions, labels);
  Json result = Json::parse(to_json(metrics));
  result["bad"] = Json::array();
  for (const BadSample& b : bad) result["bad"].push_back({{"file", b.name}, {"reason", b.reason}});
  o.json ? print_json(result) : print(result);
  std::cout.flush();  // the figures are there whatever happens to the report
  for (const BadSample& b : bad) std::cerr << "left out: " << one_line(b.name + ": " + b.reason) << '\n';
  if (out.empty()) return;
  write_report(out, metrics, predictions, *samples.source, labels, bad);
  std::cerr << "report on " << (samples.part == "all" ? "all" : "the " + samples.part) << " samples: " << out << '\n';
}

}  // namespace

void add_eval(CLI::App& program) {
  auto o = std::make_shared<EvalOptions>();
  CLI::App* verb = add_verb(
      program, "eval", "accuracy (95 % Wilson interval), F1 (macro: 95 % bootstrap interval), confusion, scores",
      "  dactyl eval --run runs/signs\n"
      "  dactyl eval --run runs/signs --views 10\n"
      "  dactyl eval --run runs/signs --data other-people --out report --json\n"
      "  dactyl eval --model googlenet --weights bvlc_googlenet.caffemodel --data samples --json");
  add_model_choice(*verb, o->choice);
  verb->add_option(
      "--data", o->data,
      "folder of classes with pictures or videos, flat folder of INDEX_name.jpg, CSV with path,label[,start,end] "
      "(seconds), pack or store of flow; default: the run's own");
  verb->add_option("--splits", o->splits, "splits.json of dactyl data split; default: the run's own");
  verb->add_option(
          "--part", o->part,
          "train, test or all; default: test of a run's own data or where --splits is given, all of other data")
      ->check(CLI::IsMember({"train", "test", "all"}));
  verb->add_option("--out", o->out, "folder for the report; default: RUN/eval where RUN is a folder");
  verb->add_option("--clips", o->clips, "which frames of a video: uniform=20, centre=64@25; default: the run's");
  verb->add_option("--batch", o->batch, "pictures at once")->check(CLI::Range(1, 65536))->capture_default_str();
  add_views(*verb, o->views);
  add_place(*verb, o->place);
  verb->add_flag("--frame-folders", o->frame_folders, "every folder of pictures is a clip, the pictures its frames");
  verb->add_flag("--json", o->json, "JSON to stdout");
  verb->callback([o] {
    Progress::silence(o->json);
    eval(*o);
  });
}

}  // namespace dactyl
