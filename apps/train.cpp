// dactyl train: from pretrained weights and a folder of pictures to a model, and the run folder about it.
#include <ctime>
#include <filesystem>
#include <iostream>

#include "apps/cli.h"

namespace dactyl {
namespace {

// What was said on the command line, kept apart from the defaults so that a resumed run can tell.
struct TrainVerb {
  std::map<std::string, std::vector<std::string>> given;
  std::string resume;
  bool resuming = false, json = false;
  i64 check_steps = 0;  // of --check-graph; 0: train
};

std::string default_folder(const std::string& model) {
  char text[64];
  const std::time_t now = std::time(nullptr);
  std::strftime(text, sizeof text, "runs/%Y%m%d-%H%M%S-", std::localtime(&now));
  return text + model;
}

TrainOptions new_run(const TrainVerb& verb) {
  TrainOptions options;
  for (const Setting& s : train_settings())
    if (const auto found = verb.given.find(s.name); found != verb.given.end()) s.set(options, found->second);
  if (options.out.empty()) options.out = default_folder(options.model);
  return options;
}

TrainOptions resumed_run(const TrainVerb& verb) {
  std::string folder = verb.resume;
  if (const auto out = verb.given.find("out"); folder.empty() && out != verb.given.end()) folder = out->second.back();
  check(Exit::usage, !folder.empty(), "--resume: which run? give --resume RUN");
  const std::string config = folder + "/config.toml";
  check(Exit::usage, std::filesystem::exists(config), "--resume {}: no run is there (config.toml is missing)", folder);
  TrainOptions options = read_config(config);
  for (const Setting& s : train_settings()) {
    const auto found = verb.given.find(s.name);
    if (found == verb.given.end() || s.name == "out") continue;
    check(Exit::usage, s.may_change,
          "--resume goes on as {} says; --{} would change the result, start a new run for it", config, s.name);
    s.set(options, found->second);
  }
  options.out = folder;
  return options;
}

nlohmann::json to_json(const GraphCheck& c) {
  nlohmann::json json{{"equal", c.equal()},      {"steps", c.steps}, {"replayed", c.replayed},
                      {"numbers", c.numbers},    {"loss", c.loss},   {"first_difference", nullptr},
                      {"why_eager", c.why_eager}};
  if (!c.equal())
    json["first_difference"] = {{"step", c.steps}, {"in", c.what}, {"largest", c.largest}, {"size", c.size}};
  return json;
}

void run_check(const TrainVerb& verb) {
  check(Exit::usage, !verb.resuming, "--check-graph: compares steps of a new run; leave --resume out");
  const GraphCheck result = check_graph(new_run(verb), verb.check_steps);
  if (verb.json) std::cout << to_json(result) << '\n';
  if (!result.good()) throw Error(Exit::check, to_text(result));
  if (!verb.json) std::cout << to_text(result) << '\n';
}

// The best model's figures, and how the data kept up.
Json to_json(const TrainResult& r) {
  Json json = Json::parse(to_json(r.best));
  json["data"] = {{"wait", r.data.share},
                  {"seconds", r.data.seconds},
                  {"first_epoch", r.data.first_epoch},
                  {"ms_per_sample", stage_json(r.data.stages)},
                  {"verdict", r.data_text},
                  {"decoded_on_gpu", r.decoded.on_device},
                  {"decoded_on_cpu", r.decoded.on_host}};
  return json;
}

void run(const TrainVerb& verb) {
  const TrainResult result = train(verb.resuming ? resumed_run(verb) : new_run(verb), verb.resuming);
  if (verb.json && result.exit == Exit::good) print_json(to_json(result));
  if (result.exit != Exit::good)
    throw Error(result.exit,
                "stopped at step " + to_text(result.steps) + "; the state is saved, --resume goes on from here");
}

// The options of the table, with their defaults shown in --help.
void add_settings(CLI::App& app, const std::shared_ptr<TrainVerb>& verb) {
  const TrainOptions defaults;
  for (const Setting& s : train_settings()) {
    CLI::Option* option = app.add_option_function<std::vector<std::string>>(
        "--" + s.name, [verb, name = s.name](const std::vector<std::string>& v) { verb->given[name] = v; }, s.help);
    option->expected(1)->take_all()->type_name(s.kind == Setting::Kind::number ? "NUMBER" : "TEXT");
    if (s.name == "test-groups") option->delimiter(',');
    const std::vector<std::string> texts = s.get(defaults);
    if (!texts.empty() && !texts.front().empty()) option->default_str(texts.front());
  }
}

}  // namespace

void add_train(CLI::App& program) {
  auto verb = std::make_shared<TrainVerb>();
  CLI::App* app = add_verb(program, "train", "staged fine-tuning; leaves the run folder",
                           "  dactyl train --model googlenet --weights bvlc_googlenet.caffemodel --data photos \\\n"
                           "    --split 0.8 --stage head:20ep@1e-2 --batch 8 --seed 1 --out runs/signs\n"
                           "  dactyl train --config train/recipes/seed1-googlenet.toml --data photos\n"
                           "  dactyl train --resume runs/signs\n"
                           "  dactyl train --model googlenet --data photos --stage all:1ep@1e-2 --check-graph 20\n"
                           "\nCtrl-C finishes the step, saves and exits 130; SIGUSR1 saves and goes on.");
  add_settings(*app, verb);
  app->add_option("--resume", verb->resume, "continue the run in this folder, as if it had never stopped")
      ->expected(0, 1)
      ->type_name("RUN")
      ->each([verb](const std::string&) { verb->resuming = true; });
  app->add_option("--check-graph", verb->check_steps,
                  "no run: so many steps with a captured graph and without, which must be equal bit for bit")
      ->type_name("STEPS");
  app->add_flag("--json", verb->json, "the best model's figures as JSON to stdout");
  app->callback([verb, app] {
    verb->resuming = verb->resuming || app->count("--resume") > 0;
    Progress::silence(verb->json);
    app->count("--check-graph") > 0 ? run_check(*verb) : run(*verb);
  });
}

}  // namespace dactyl
