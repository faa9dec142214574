// Papers as tables: what each of them ran, from which recipe, and what it reports.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "apps/cli.h"

namespace dactyl {

using Given = std::map<std::string, std::vector<std::string>>;  // settings of training: name, values

struct PaperRun {
  std::string name, recipe, start;  // start: what the paper trains from
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
};
const std::vector<Paper>& papers();

struct ReproOptions {
  std::string data, out, recipes;
  std::vector<std::string> streams;  // names of runs; empty: all that are possible
  Given given;                       // deviations from every recipe
  std::map<std::string, std::string> weights;
  bool json = false, can_fuse = false;
};

// One run as it came out.
struct ReproRun {
  const PaperRun* paper;
  std::string folder, recipe, start;
  std::vector<std::string> deviations;
  Json metrics;
  i64 classes = 0, training = 0, testing = 0;
};

// Runs it, goes on with it, or finds it done; throws where the run in the folder had other settings.
ReproRun run_paper(const Paper& paper, const PaperRun& run, const ReproOptions& options);
// Figures of the runs' scores together, made by this program's fuse; null where there are not two of them.
Json fused(const std::vector<ReproRun>& runs, const std::string& out);
// page.md and page.html in options.out.
void write_page(const Paper& paper, const ReproOptions& options, const std::vector<ReproRun>& runs, const Json& fused,
                const std::vector<std::string>& deviations);
std::vector<std::string> data_deviations(const Paper& paper, const std::vector<ReproRun>& runs);

}  // namespace dactyl
