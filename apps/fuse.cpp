// dactyl fuse: several nets' scores of the same samples as one prediction.
#include <algorithm>
#include <filesystem>
#include <iostream>

#include "apps/fuse.h"

namespace dactyl {
namespace {

namespace fs = std::filesystem;

struct FuseOptions {
  std::vector<std::string> streams, fit;
  std::string out;
  std::uint64_t seed = 1;
  bool json = false;
};

// "rgb=runs/rgb/eval", or a path alone. `named`: whether it gave the name.
struct Given {
  std::string name, path;
  bool named = false;
};

// A report is called by its folder's name, RUN/eval by the run's.
std::string name_of(const std::string& path) {
  fs::path at = fs::absolute(path).lexically_normal();
  if (!at.has_filename()) at = at.parent_path();
  if (at.extension() == ".csv") at = at.parent_path();
  if (at.filename() == "eval" && at.parent_path().has_filename()) at = at.parent_path();
  return at.filename().string();
}

Given parsed(const std::string& text) {
  std::error_code ignored;
  const std::size_t equals = text.find('=');
  if (equals == text.npos || fs::exists(text, ignored)) return {name_of(text), text, false};
  check(Exit::usage, equals > 0 && equals + 1 < text.size(), "fuse: '{}': expected NAME=FOLDER", text);
  return {text.substr(0, equals), text.substr(equals + 1), true};
}

// The table itself, or that of a report or of a run's own report.
std::string table_of(const std::string& path) {
  std::error_code ignored;
  if (!fs::is_directory(path, ignored)) return path;
  for (const char* inside : {"/logits.csv", "/eval/logits.csv"})
    if (fs::exists(path + inside, ignored)) return path + inside;
  fail(Exit::data,
       "{}: holds no logits.csv; dactyl eval --run RUN writes it into RUN/eval, with --out into that folder", {path});
}

std::vector<LogitStream> opened(const std::vector<Given>& given) {
  std::vector<LogitStream> streams;
  Progress progress("reading", static_cast<i64>(given.size()), "tables");
  for (const Given& g : given) {
    streams.push_back({g.name, read_logits(table_of(g.path))});
    progress.advance();
  }
  return streams;
}

std::vector<Given> streams_of(const FuseOptions& o) {
  std::vector<Given> all;
  for (const std::string& text : o.streams) all.push_back(parsed(text));
  for (std::size_t i = 0; i < all.size(); ++i)
    for (std::size_t k = 0; k < i; ++k)
      check(Exit::usage, all[i].name != all[k].name, "fuse: {} and {} are both called {}; name them: NAME=FOLDER",
            all[k].path, all[i].path, all[i].name);
  check(Exit::usage, all.size() <= most_streams, "fuse: {} streams; all combinations of at most {} are reported",
        all.size(), most_streams);
  return all;
}

// In the order of the streams: by name, or, where none is named, as given.
std::vector<Given> fit_of(const FuseOptions& o, const std::vector<Given>& streams) {
  std::vector<Given> given, ordered;
  for (const std::string& text : o.fit) given.push_back(parsed(text));
  const bool named = std::any_of(given.begin(), given.end(), [](const Given& g) { return g.named; });
  check(Exit::usage, given.empty() || given.size() == streams.size(), "--fit: {} folders for {} streams; one for each",
        given.size(), streams.size());
  for (std::size_t s = 0; s < given.size(); ++s) {
    const auto found =
        std::find_if(given.begin(), given.end(), [&](const Given& g) { return g.name == streams[s].name; });
    check(Exit::usage, !named || found != given.end(), "--fit: nothing for the stream {}; give {}=FOLDER",
          streams[s].name, streams[s].name);
    ordered.push_back(named ? *found : given[s]);
  }
  return ordered;
}

// A table where the name says so, else a folder: the table, the JSON, and the report on all streams together.
void write(const FuseOptions& o, const Fusion& fusion, const std::vector<LogitStream>& streams, const Json& result) {
  if (o.out.empty()) return;
  const std::string table = fusion_csv(fusion, streams);
  if (fs::path(o.out).extension() == ".csv") {
    write_atomically(o.out, table);
  } else {
    make_folder(o.out);
    write_atomically(o.out + "/fusion.csv", table);
    write_atomically(o.out + "/fusion.json", result.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
    const std::vector<std::string>& labels = streams.front().logits.labels;
    write_figures(o.out, measure(fusion.predictions, labels, o.seed), fusion.predictions, labels);
  }
  std::cerr << "written: " << one_line(o.out) << '\n';
}

void say_left_out(const std::vector<Missing>& left_out, const std::string& where) {
  for (const Missing& m : left_out)
    std::cerr << one_line("left out" + where + ": " + std::to_string(m.samples) +
                          (m.samples == 1 ? " sample that " : " samples that ") + m.stream +
                          " lacks, the first: " + m.example)
              << '\n';
}

struct Fused {
  std::vector<LogitStream> streams, fit;
  Fusion fusion;
  Json result;
};

Fused fused(const FuseOptions& o) {
  const std::vector<Given> given = streams_of(o), given_fit = fit_of(o, given);
  Fused f{opened(given), opened(given_fit), {}, {}};
  for (std::size_t s = 0; s < f.fit.size(); ++s) f.fit[s].name = f.streams[s].name;
  const std::vector<Missing> left_out = join(f.streams);
  say_left_out(left_out, "");
  if (!f.fit.empty()) say_left_out(join(f.fit), " of --fit");
  Progress progress("fusing", (i64{1} << f.streams.size()) - 1, "combinations");
  f.fusion = fuse(f.streams, f.fit, o.seed, [&](i64, i64) { progress.advance(); });
  f.result = fusion_json(f.fusion, f.streams, f.fit, left_out, o.seed);
  return f;
}

void run(const FuseOptions& o) {
  const Fused f = fused(o);
  o.json ? print_json(f.result) : print_fusion(f.fusion, f.streams, f.fit);
  std::cout.flush();
  write(o, f.fusion, f.streams, f.result);
}

const char* const about = R"(
Every combination of the streams is reported: the mean of their softmax probabilities with fitted weights, none below 0
and 1 in sum, and with equal ones. Probabilities and not their logarithms are averaged: a stream that is sure and wrong
can then be outvoted, and the best weights are one point, found by minimising cross-entropy.

Weights are fitted on --fit: the same streams, evaluated on samples that are neither reported nor were trained on (there
the stream that overfits most would win). Without it the samples of each class are dealt into two halves, and either
half gets the weights fitted on the other: every sample is reported, and no sample's weights depend on its own label.

Samples are joined by name. Those that a stream lacks (a bad file) are left out of all, which is said and counted.
Intervals hold 95 %: Wilson's for accuracy, bootstrap for macro F1 and, paired, for all streams less the best one.

Examples:
  dactyl fuse rgb=runs/rgb/eval flow=runs/tvl1/eval
  dactyl fuse runs/rgb runs/tvl1 runs/farneback --json --out fusion
  dactyl eval --run runs/rgb --data validation --out fit/rgb
  dactyl eval --run runs/tvl1 --data validation --out fit/tvl1
  dactyl fuse runs/rgb runs/tvl1 --fit fit/rgb fit/tvl1 --out table.csv)";

}  // namespace

void fuse_into(const std::string& folder, const std::vector<std::string>& streams) {
  FuseOptions o;
  o.streams = streams;
  o.out = folder;
  const Fused f = fused(o);
  write(o, f.fusion, f.streams, f.result);
}

void add_fuse(CLI::App& program) {
  auto o = std::make_shared<FuseOptions>();
  CLI::App* verb = add_verb(program, "fuse", "several streams' evaluations as one: weights and figures", "");
  verb->footer(about);
  verb->add_option("STREAM", o->streams, "NAME=FOLDER of dactyl eval, or a run's; without NAME= the folder's or run's")
      ->required();
  verb->add_option("--fit", o->fit, "NAME=FOLDER for each stream: evaluations the weights are fitted on")
      ->type_name("NAME=FOLDER");
  verb->add_option("--out", o->out, "TABLE.csv, or a folder for table, JSON and the report on all streams together");
  add_seed(*verb, o->seed, "of the halves and the intervals");
  verb->add_flag("--json", o->json, "JSON to stdout");
  verb->callback([o] {
    Progress::silence(o->json);
    run(*o);
  });
}

}  // namespace dactyl
