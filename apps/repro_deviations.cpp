// What is not as in the paper, in words.
#include <algorithm>

#include "apps/repro.h"

namespace dactyl {
namespace {

using Texts = std::vector<std::string>;

// A value as people say it.
std::string in_words(const std::string& name, const Texts& values) {
  static const std::map<std::pair<std::string, std::string>, std::string> special{
      {{"input", "0"}, "the net's own"},       {{"dropout", "-1"}, "the net's own"},
      {{"top-classes", "0"}, "all"},           {{"patience", "0"}, "never"},
      {{"resize", ""}, "as the weights' own"}, {{"cache-views", "-1"}, "where nothing is augmented"},
      {{"cache-views", "0"}, "never"},         {{"flow-side", "0"}, "256"}};
  std::string text;
  for (const std::string& v : values) text += (text.empty() ? "" : ", ") + v;
  if (const auto word = special.find({name, text}); word != special.end()) return word->second;
  return text.empty() ? "none" : text;
}

}  // namespace

std::vector<Difference> differences(const TrainOptions& before, const TrainOptions& now,
                                    const std::set<std::string>& apart) {
  const bool flow = before.flow != "none" || now.flow != "none";
  std::vector<Difference> list;
  for (const Setting& s : train_settings()) {
    if (s.may_change || apart.contains(s.name) || (!flow && s.name.starts_with("flow-"))) continue;
    Difference d{s.name, in_words(s.name, s.get(now)), in_words(s.name, s.get(before))};
    if (d.now != d.before) list.push_back(std::move(d));
  }
  return list;
}

std::vector<std::string> data_deviations(const Paper& paper, const std::vector<ReproRun>& runs) {
  const auto run = std::find_if(runs.begin(), runs.end(), [](const ReproRun& r) { return r.metrics.is_object(); });
  if (run == runs.end()) return {};
  const i64 samples = run->training + run->testing;
  if (run->classes == paper.classes && samples == paper.samples)
    return {"the data: as many classes and samples, but others"};
  return {"the data: " + to_text(run->classes) + " classes with " + to_text(samples) +
          " samples; the paper's: " + to_text(paper.classes) + " classes" +
          (paper.samples ? " with " + to_text(paper.samples) + " samples" : "") + ", " + paper.data};
}

std::vector<std::string> run_deviations(const std::vector<ReproRun>& runs) {
  std::vector<std::pair<std::string, Texts>> shared;  // a deviation and whose it is, in order of appearance
  for (const ReproRun& run : runs)
    for (const std::string& text : run.deviations) {
      auto known = std::find_if(shared.begin(), shared.end(), [&](const auto& s) { return s.first == text; });
      if (known == shared.end()) known = shared.insert(known, {text, {}});
      known->second.push_back(run.paper->name);
    }
  Texts list;
  for (const auto& [text, names] : shared) {
    std::string whose;
    for (const std::string& name : names) whose += (whose.empty() ? "" : ", ") + name;
    list.push_back((runs.size() > 1 && names.size() == runs.size() ? "all runs" : whose) + ": " + text);
  }
  return list;
}

}  // namespace dactyl
