// Papers as tables: what each of them ran, from which recipe, and what it reports.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "apps/cli.h"

namespace dactyl {

using Given = std::map<std::string, std::vector<std::string>>;  // settings of training: name, values

struct PaperRun {
  std::string name, recipe, start;  // start: what the paper trains from
  std::string whose = "the paper";  // that start
  Given extra;                      // settings beside the recipe's
  std::vector<std::string> fixed;   // settings that make it what it is, which no deviation reaches
  double figure = 0;                // what the paper reports of this run alone; 0: nothing
  bool fused = false;               // whether its scores join the others'
};

struct Paper {
  std::string verb, title, data;  // data: the paper's, in words
  i64 classes = 0, samples = 0;   // of that data; 0: not told
  std::string metric, figure_name;
  double figure = 0;  // of the whole
  std::vector<PaperRun> runs;
  std::string examples;  // below --help
};
const std::vector<Paper>& papers();

struct ReproOptions {
  std::string data, out, recipes;
  std::vector<std::string> streams;   // names of runs; empty: all
  Given given;                        // deviations from every recipe
  std::map<std::string, Given> only;  // of one run alone, by its name; they win
  std::map<std::string, std::string> weights;
  std::vector<std::string> same_start;  // runs whose weights are the paper's, as the user says
  bool json = false;
};

// One run, as it will be trained and as it came out.
struct ReproRun {
  const PaperRun* paper;
  TrainOptions options;
  std::string folder, recipe, start;
  std::vector<std::string> deviations;
  Json metrics;
  i64 classes = 0, training = 0, testing = 0;
};

// What it would train with, all of it checked: recipe, data, weights, and that a run in the folder had these settings.
// Trains nothing. Throws what training would.
ReproRun prepare(const PaperRun& run, const ReproOptions& options);
// Runs it, goes on with it, or finds it done.
void complete(const Paper& paper, ReproRun& run);

// Settings that differ and are more than where and from what something is computed, in words: of each what it is, and
// what it was before.
struct Difference {
  std::string name, now, before;
};
std::vector<Difference> differences(const TrainOptions& before, const TrainOptions& now,
                                    const std::set<std::string>& apart);
// What is not as in the paper: of the data, then of the runs, what several share said once.
std::vector<std::string> data_deviations(const Paper& paper, const std::vector<ReproRun>& runs);
std::vector<std::string> run_deviations(const std::vector<ReproRun>& runs);

// Figures of the runs' scores together, as dactyl fuse leaves them in `out`; null where there are not two of them.
Json fused(const std::vector<ReproRun>& runs, const std::string& out);
// page.md and page.html in options.out.
void write_page(const Paper& paper, const ReproOptions& options, const std::vector<ReproRun>& runs, const Json& fused,
                const std::vector<std::string>& deviations);

}  // namespace dactyl
