// dactyl repro: a paper's settings on the user's data; its figure beside ours.
#include "apps/repro.h"

#include <algorithm>
#include <filesystem>
#include <iostream>

namespace dactyl {
namespace {

std::vector<const PaperRun*> chosen(const Paper& paper, const ReproOptions& o, std::vector<std::string>& deviations) {
  std::vector<const PaperRun*> runs;
  for (const PaperRun& run : paper.runs) {
    const bool wanted = o.streams.empty() || std::find(o.streams.begin(), o.streams.end(), run.name) != o.streams.end();
    if (wanted)
      runs.push_back(&run);
    else
      deviations.push_back(run.name + ": not run, --streams leaves it out");
  }
  return runs;
}

Json summary(const Paper& paper, const std::vector<ReproRun>& runs, const Json& together,
             const std::vector<std::string>& deviations, const std::string& out) {
  Json list = Json::array();
  const auto add = [&](const std::string& name, double figure, const Json& metrics) {
    list.push_back({{"name", name},
                    {"paper", figure > 0 ? Json(figure) : Json()},
                    {"figure", metrics.value(paper.metric, Json())},
                    {"interval", metrics.value(paper.metric + "_interval", Json())},
                    {"metrics", metrics}});
  };
  for (const ReproRun& run : runs) add(run.paper->name, run.paper->figure, run.metrics);
  if (!together.is_null()) add("fused", paper.figure, together);
  return {{"paper", paper.verb},
          {"metric", paper.metric},
          {"paper_figure", paper.figure > 0 ? Json(paper.figure) : Json()},
          {"runs", list},
          {"deviations", deviations},
          {"page", out + "/page.html"}};
}

void print(const Paper& paper, const Json& all) {
  const auto percent = [](const Json& share) {
    if (!share.is_number()) return std::string("-");
    char text[32];
    std::snprintf(text, sizeof text, "%.2f %%", 100 * share.get<double>());
    return std::string(text);
  };
  for (const Json& run : all["runs"]) {
    std::cout << run["name"].get<std::string>() << '\t' << paper.figure_name << ' ' << percent(run["figure"]);
    if (run["interval"].size() == 2)
      std::cout << " (" << percent(run["interval"][0]) << " to " << percent(run["interval"][1]) << ")";
    std::cout << ", paper " << percent(run["paper"]) << '\n';
  }
  std::cout << "paper\t" << paper.figure_name << ' ' << percent(all["paper_figure"]) << '\n'
            << all["deviations"].size() << " deviations, figures, curves: " << one_line(all["page"].get<std::string>())
            << '\n';
}

// Everything is checked before anything is trained, so that nothing fails days later.
std::vector<ReproRun> prepared(const std::vector<const PaperRun*>& chosen, const ReproOptions& o) {
  std::vector<ReproRun> runs;
  Progress progress("checking", static_cast<i64>(chosen.size()), "runs");
  for (const PaperRun* run : chosen) {
    runs.push_back(prepare(*run, o));
    progress.advance();
  }
  return runs;
}

void repro(const Paper& paper, ReproOptions& o) {
  check(Exit::data, std::filesystem::exists(o.data), "{}: no such folder, CSV file or pack", o.data);
  std::vector<std::string> general;
  std::vector<ReproRun> runs = prepared(chosen(paper, o, general), o);
  make_folder(o.out);
  const auto all_deviations = [&] {
    std::vector<std::string> all = data_deviations(paper, runs);
    all.insert(all.end(), general.begin(), general.end());
    for (const std::string& text : run_deviations(runs)) all.push_back(text);
    return all;
  };
  for (const std::string& text : all_deviations()) std::cerr << "deviation: " << one_line(text) << '\n';
  std::vector<ReproRun> finished;
  for (ReproRun& run : runs) {
    complete(paper, run);
    finished.push_back(run);
    write_page(paper, o, finished, nullptr, all_deviations());  // what is done can be looked at while the rest runs
  }
  const Json together = fused(runs, o.out + "/fused");
  const std::vector<std::string> deviations = all_deviations();
  write_page(paper, o, runs, together, deviations);
  if (o.json) return print_json(summary(paper, runs, together, deviations, o.out));
  print(paper, summary(paper, runs, together, deviations, o.out));
}

// The options of training, but for those that the papers and this verb decide.
bool can_deviate(const Setting& s) {
  static const std::vector<std::string> ours{"model", "weights", "data", "out", "flow-algo", "flow-encoding"};
  return std::find(ours.begin(), ours.end(), s.name) == ours.end();
}

// RUN:OPTION=VALUE.
void add_only(ReproOptions& o, const Paper& paper, const std::string& text) {
  const std::size_t colon = text.find(':'), equals = text.find('=', colon);
  check(Exit::usage, colon != std::string::npos && equals != std::string::npos,
        "--only {}: expected RUN:OPTION=VALUE, as in {}:batch=8", text, paper.runs.front().name);
  const std::string name = text.substr(0, colon), option = text.substr(colon + 1, equals - colon - 1);
  check(Exit::usage,
        std::any_of(paper.runs.begin(), paper.runs.end(), [&](const PaperRun& r) { return r.name == name; }),
        "--only {}: {} has no run named {}; --help lists them at --streams", text, paper.verb, name);
  const std::vector<Setting>& all = train_settings();
  check(Exit::usage,
        std::any_of(all.begin(), all.end(), [&](const Setting& s) { return s.name == option && can_deviate(s); }),
        "--only {}: {} is none of the options that may deviate; --help lists them", text, option);
  o.only[name][option].push_back(text.substr(equals + 1));
}

void add_deviations(CLI::App& verb, const Paper& paper, const std::shared_ptr<ReproOptions>& o) {
  static const std::string group = "Deviations from the recipe, each of which the page names";
  verb.add_option_function<std::vector<std::string>>(
          "--only",
          [o, &paper](const std::vector<std::string>& texts) {
            for (const std::string& text : texts) add_only(*o, paper, text);
          },
          "RUN:OPTION=VALUE, one of these for one run alone; may be given several times, and wins")
      ->expected(1)
      ->take_all()
      ->group(group);
  for (const Setting& s : train_settings()) {
    if (!can_deviate(s)) continue;
    CLI::Option* option = verb.add_option_function<std::vector<std::string>>(
        "--" + s.name, [o, name = s.name](const std::vector<std::string>& v) { o->given[name] = v; }, s.help);
    option->expected(1)->take_all()->group(group);
    if (s.name == "test-groups") option->delimiter(',');
  }
}

void add_paper(CLI::App& app, const Paper& paper) {
  auto o = std::make_shared<ReproOptions>();
  std::vector<std::string> names;
  for (const PaperRun& run : paper.runs) names.push_back(run.name);
  CLI::App* verb = add_verb(app, paper.verb, paper.title, paper.examples);
  verb->add_option("DATA", o->data, "folder of classes, or CSV with path,label, as train takes it")->required();
  verb->add_option("--out", o->out,
                   "folder for the runs and the page; a second call with the same options goes on there")
      ->default_str("runs/" + paper.verb);
  verb->add_option("--streams", o->streams, "which of the paper's runs; default: all")
      ->delimiter(',')
      ->check(CLI::IsMember(names));
  verb->add_option("--recipes", o->recipes, "folder of the recipes; default: train/recipes of this program");
  for (const PaperRun& run : paper.runs)
    verb->add_option_function<std::string>(
        "--weights-" + run.name, [o, name = run.name](const std::string& file) { o->weights[name] = file; },
        "what " + run.name + " starts from; " + run.whose + ": " + run.start);
  verb->add_option("--same-start", o->same_start,
                   "runs whose weights you know to be what the paper began with; of all others it is a deviation")
      ->delimiter(',')
      ->check(CLI::IsMember(names));
  verb->add_flag("--json", o->json, "figures and deviations as JSON to stdout");
  add_deviations(*verb, paper, o);
  verb->callback([o, &paper] {
    Progress::silence(o->json);
    if (o->out.empty()) o->out = "runs/" + paper.verb;
    repro(paper, *o);
  });
}

}  // namespace

void add_repro(CLI::App& program) {
  CLI::App* verb =
      program.add_subcommand("repro", "a paper's settings on your data: its figure, ours, every deviation");
  verb->require_subcommand(1);
  for (const Paper& paper : papers()) add_paper(*verb, paper);
}

}  // namespace dactyl
