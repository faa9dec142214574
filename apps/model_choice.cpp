// A model to run, as named on the command line.
#include <iostream>
#include <tuple>

#include "apps/cli.h"

namespace dactyl {
namespace {

std::vector<std::string> numbers(i64 count) {
  std::vector<std::string> names;
  for (i64 i = 0; i < count; ++i) names.push_back(std::to_string(i));
  return names;
}

}  // namespace

void add_model_choice(CLI::App& verb, ModelChoice& choice) {
  CLI::Option* run = verb.add_option("--run", choice.run, "run folder of dactyl train: its best model");
  CLI::Option* model = verb.add_option("--model", choice.model, "a net, as listed by dactyl models")->excludes(run);
  verb.add_option("--weights", choice.weights, ".caffemodel or .safetensors file for --model")->needs(model);
  verb.add_option("--labels", choice.labels, "text file with one label per line, in the order of the outputs");
  verb.add_option("--resize", choice.resize, "warp or short, side, filter: warp256-antialias, short256-bilinear");
  verb.add_option("--input", choice.input, "side of the network's input; default: the model's")
      ->check(CLI::Range(32, 4096));
}

void add_net_size(CLI::App& verb, ModelOptions& net) {
  verb.add_option_function<std::string>(
          "--input", [&net](const std::string& text) { std::tie(net.height, net.width) = parse_size(text); },
          "side of the picture, or HxW; default: the net's own")
      ->type_name("SIZE");
  verb.add_option("--classes", net.classes, "outputs of the head; default: as released")->check(CLI::Range(1, 1000000));
  verb.add_option("--frames", net.frames, "of a clip; default: the net's own")->check(CLI::Range(1, 100000));
  verb.add_option("--channels", net.channels, "3, or 2 for optical flow; default: the net's own")
      ->check(CLI::Range(1, 64));
}

LoadedModel open_choice(const ModelChoice& choice, const Place& place) {
  check(Exit::usage, !choice.run.empty() || !choice.weights.empty(),
        "which model? give --run RUN, or --model NAME --weights FILE");
  ModelOptions options{.height = choice.input, .width = choice.input, .auxiliary = false};
  std::vector<std::string> labels;
  if (!choice.labels.empty()) labels = read_lines(choice.labels);
  if (!labels.empty()) options.classes = static_cast<i64>(labels.size());
  LoadedModel loaded = open_model(choice.model, choice.run.empty() ? choice.weights : choice.run, options);
  if (!labels.empty()) loaded.passport.labels = labels;
  if (loaded.passport.labels.empty()) loaded.passport.labels = numbers(loaded.model.classes);
  check(Exit::data, static_cast<i64>(loaded.passport.labels.size()) == loaded.model.classes,
        "{} labels for a model with {} outputs; give the right list with --labels", loaded.passport.labels.size(),
        loaded.model.classes);
  if (!choice.resize.empty()) set_resize(loaded.model.input, choice.resize);
  loaded.model.to(Context::current().device());
  loaded.model.parameters->to(dtype_of(place));
  return loaded;
}

}  // namespace dactyl
