// The page of a replay: figures, deviations, classes, curves.
#include <algorithm>
#include <cmath>
#include <filesystem>

#include "apps/page.h"
#include "apps/repro.h"

namespace dactyl {
namespace {

std::string percent(const Json& share) {
  if (!share.is_number()) return "–";
  char text[32];
  std::snprintf(text, sizeof text, "%.2f %%", 100 * share.get<double>());
  return text;
}

std::string figure(double share) { return share > 0 ? percent(share) : "–"; }

std::string interval(const Json& metrics, const std::string& metric) {
  const auto pair = metrics.find(metric + "_interval");
  if (pair == metrics.end() || !pair->is_array() || pair->size() != 2) return "–";
  return percent((*pair)[0]) + " to " + percent((*pair)[1]);
}

// The paper's figure with its interval, then the one beside it.
std::vector<std::string> figures(const Paper& paper, const Json& metrics) {
  const auto share = [&](const std::string& name) { return percent(metrics.value(name, Json())); };
  return {share(paper.metric), interval(metrics, paper.metric), share(paper.metric == "top1" ? "macro_f1" : "top1")};
}

struct Class {
  std::string label;
  double samples, f1;
};

// Of per_class.csv, the most frequent ones of the test first.
std::vector<Class> classes_of(const std::string& folder) {
  const Table table = read_csv(folder + "/per_class.csv");
  const std::size_t label = table.column("label"), samples = table.column("samples"), f1 = table.column("f1");
  std::vector<Class> classes;
  for (const auto& row : table.rows) classes.push_back({row[label], std::stod(row[samples]), std::stod(row[f1])});
  std::stable_sort(classes.begin(), classes.end(),
                   [](const Class& a, const Class& b) { return a.samples > b.samples; });
  return classes;
}

Json mean_f1(const std::vector<Class>& classes, std::size_t most) {
  const std::size_t count = std::min(most, classes.size());
  double sum = 0;
  for (std::size_t c = 0; c < count; ++c) sum += classes[c].f1;
  return count ? Json(sum / static_cast<double>(count)) : Json();
}

void add_figures(Page& page, const Paper& paper, const std::string& folder, const std::vector<ReproRun>& runs,
                 const Json& fused) {
  std::vector<std::vector<std::string>> rows;
  for (const ReproRun& run : runs) {
    const std::vector<Class> classes = classes_of(run.folder + "/eval");
    std::vector<std::string> row{run.paper->name, figure(run.paper->figure)};
    for (const std::string& text : figures(paper, run.metrics)) row.push_back(text);
    for (const std::string& text : {percent(mean_f1(classes, 10)), percent(mean_f1(classes, 20)), run.start})
      row.push_back(text);
    rows.push_back(row);
  }
  if (fused.is_object()) {
    std::vector<std::string> row{"fused", figure(paper.figure)};
    for (const std::string& text : figures(paper, fused)) row.push_back(text);
    const std::vector<Class> classes = classes_of(folder + "/fused");
    row.insert(row.end(), {percent(mean_f1(classes, 10)), percent(mean_f1(classes, 20)), "the streams above"});
    rows.push_back(row);
  }
  page.table({"run", "paper", "ours: " + paper.figure_name, "95 % interval",
              paper.metric == "top1" ? "macro F1" : "accuracy", "F1 of top 10", "F1 of top 20", "started from"},
             rows);
}

// Ours in words: of the fused streams, or of the best run there is. Baselines are beside the point.
void add_headline(Page& page, const Paper& paper, const std::vector<ReproRun>& runs, const Json& fused) {
  const bool streams = std::any_of(runs.begin(), runs.end(), [](const ReproRun& r) { return r.paper->fused; });
  const ReproRun* best = nullptr;
  const auto value = [&](const ReproRun& run) { return run.metrics.value(paper.metric, 0.0); };
  for (const ReproRun& run : runs)
    if (run.paper->fused == streams && (!best || value(run) > value(*best))) best = &run;
  if (!best) return;
  const Json& metrics = fused.is_object() ? fused : best->metrics;
  const auto equals = std::count_if(runs.begin(), runs.end(), [&](const auto& r) { return r.paper->fused == streams; });
  const bool own = !fused.is_object() && best->paper->figure > 0, picked = !fused.is_object() && equals > 1;
  page.paragraph("The paper reports " + figure(own ? best->paper->figure : paper.figure) + " " + paper.figure_name +
                 " on data that is not public. Ours, of " +
                 (fused.is_object() ? "the streams fused" : best->paper->name) + ": " +
                 percent(metrics.value(paper.metric, Json())) + ", with 95 % confidence " +
                 interval(metrics, paper.metric) + ", on " + to_text(best->testing) + " samples held out of " +
                 to_text(best->training + best->testing) + " of " + to_text(best->classes) + " classes." +
                 (picked ? " It is the best of " + to_text(i64{equals}) + (streams ? " streams" : " runs") +
                               ", chosen on the samples it is reported on, so it flatters."
                         : ""));
}

void add_charts(Page& page, const std::string& folder, const std::string& report) {
  page.picture(folder, report + "/f1_top10.png", "F1 of the 10 most frequent classes");
  page.picture(folder, report + "/f1_top20.png", "F1 of the 20 most frequent classes");
  page.picture(folder, report + "/confusion.png", "What each class was taken for, as shares of its samples");
}

// "rgb 0.61, tvl1 0.39".
std::string weights_text(const Json& weights) {
  std::string text;
  for (const auto& [name, weight] : weights.items()) {
    char number[16];
    std::snprintf(number, sizeof number, " %.2f", weight.get<double>());
    text += (text.empty() ? "" : ", ") + name + number;
  }
  return text;
}

std::string points(const Json& share) {
  char text[32];
  std::snprintf(text, sizeof text, "%+.2f", 100 * share.get<double>());
  return text;
}

// All combinations that dactyl fuse made.
void add_fused(Page& page, const Paper& paper, const std::string& out, const Json& metrics) {
  const std::string file = out + "/fused/fusion.json";
  const Json fusion = Json::parse(text_file(file, Exit::data), nullptr, false);
  check(Exit::data, fusion.is_object() && fusion.contains("combinations"), "{}: is damaged", file);
  page.heading("The streams fused: " + percent(metrics.value(paper.metric, Json())) + " " + paper.figure_name);
  page.paragraph(
      "Each line is the weighted mean of the streams' probabilities. The samples of each class are dealt into two "
      "halves, and either half is weighted as fits the other one; the means of both are shown.");
  std::vector<std::vector<std::string>> rows;
  for (const Json& c : fusion["combinations"])
    rows.push_back({weights_text(c.at("weights")), percent(c.at("top1")), interval(c, "top1"),
                    percent(c.at("macro_f1")), interval(c, "macro_f1"), percent(c.at("equal").at("macro_f1"))});
  page.table({"weights", "accuracy", "95 % interval", "macro F1", "95 % interval", "macro F1, equal weights"}, rows);
  const Json& gain = fusion.at("gain");
  page.paragraph("All streams less the best single one (" + fusion.value("best_single", "") +
                 ", chosen on these samples): " + points(gain.at("top1")) +
                 " points of accuracy, with 95 % confidence " + points(gain.at("interval").at(0)) + " to " +
                 points(gain.at("interval").at(1)) + ".");
  add_charts(page, out, "fused");
}

// Each once, with the runs that share it.
void add_recipes(Page& page, const std::vector<ReproRun>& runs) {
  page.heading("The recipes, and how they read the paper");
  std::vector<std::string> told;
  for (const ReproRun& run : runs) {
    const std::string& recipe = run.paper->recipe;
    if (std::find(told.begin(), told.end(), recipe) != told.end()) continue;
    told.push_back(recipe);
    std::string names;
    for (const ReproRun& other : runs)
      if (other.paper->recipe == recipe) names += (names.empty() ? "" : ", ") + other.paper->name;
    page.paragraph(recipe + ".toml, of " + names + ":");
    page.verbatim(run.recipe);
  }
}

void add_run(Page& page, const Paper& paper, const ReproOptions& o, const ReproRun& run) {
  const std::string name = run.paper->name;
  page.heading(name + ": " + percent(run.metrics.value(paper.metric, Json())) + " " + paper.figure_name);
  page.picture(o.out, name + "/curves.png", "Accuracy and loss of " + name + " while it trained");
  add_charts(page, o.out, name + "/eval");
  page.picture(o.out, name + "/eval/predictions.png", "One test sample of each class with what was recognised");
  std::vector<std::vector<std::string>> rows;
  for (const Class& c : classes_of(run.folder + "/eval"))
    rows.push_back({c.label, to_text(static_cast<i64>(c.samples)), percent(c.f1)});
  page.table({"class", "test samples", "F1"}, rows);
}

}  // namespace

void write_page(const Paper& paper, const ReproOptions& o, const std::vector<ReproRun>& runs, const Json& fused,
                const std::vector<std::string>& deviations) {
  Page page(paper.title);
  add_headline(page, paper, runs, fused);
  add_figures(page, paper, o.out, runs, fused);
  page.paragraph(
      "The interval says how far the figure would move with other test samples of the same kind. The epoch with "
      "the best figure is taken, chosen on the samples that are reported: there is no third part.");
  page.heading("Where this is not what the paper did");
  page.list(deviations);
  if (fused.is_object()) add_fused(page, paper, o.out, fused);
  for (const ReproRun& run : runs) add_run(page, paper, o, run);
  add_recipes(page, runs);
  page.write(o.out);
}

}  // namespace dactyl
