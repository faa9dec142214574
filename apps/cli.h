// What all verbs share: the program's options, its settings from files, and the place where work runs.
#pragma once

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "nets/nets.h"
#include "train/train.h"

namespace dactyl {

using Json = nlohmann::ordered_json;

// Each adds one verb to the program; the verb's callback does the work. Errors leave as Error.
void add_bench(CLI::App& program);
void add_check(CLI::App& program);
void add_convert(CLI::App& program);
void add_data(CLI::App& program);
void add_doctor(CLI::App& program);
void add_eval(CLI::App& program);
void add_flow(CLI::App& program);
void add_fuse(CLI::App& program);
void add_models(CLI::App& program);
void add_predict(CLI::App& program);
void add_profile(CLI::App& program);
void add_repro(CLI::App& program);
void add_train(CLI::App& program);
void add_tune(CLI::App& program);
void add_synth(CLI::App& data);  // below data

// The command line without its `--config FILE.toml` and `--set key=value`: their settings become `--key=value` after
// the verb. A key on the command line wins over --set, --set over the file. Keys are the long options' names, with _ or
// -; an array gives its option several times; a table named like the verb holds settings for that verb alone.
std::vector<std::string> with_settings(const std::vector<std::string>& arguments);

// A verb that knows --config and --set, with examples below its --help.
CLI::App* add_verb(CLI::App& program, const std::string& name, const std::string& what, const std::string& examples);

// Where and how precisely a net runs.
struct Place {
  std::string device = "auto", precision = "fp32";  // auto, cpu, cuda, cuda:1; fp32, tf32, bf16
  int threads = 0;                                  // of the CPU; 0: one per core
};
void add_place(CLI::App& verb, Place& place);
// Makes the device current for as long as the result lives.
std::unique_ptr<Use> enter(const Place& place);
void add_views(CLI::App& verb, int& views);  // --views: test-time views of a picture
DType dtype_of(const Place& place);          // bf16 or f32: of weights and activations

// A model to run, as eval and predict name one: --run RUN, or --model M --weights F.
struct ModelChoice {
  std::string run, model, weights, labels, resize;
  int input = 0;  // side of the network's input; 0: the model's own
};
void add_model_choice(CLI::App& verb, ModelChoice& choice);
// On the current device in the place's type. Without labels the classes are called by their numbers.
LoadedModel open_choice(const ModelChoice& choice, const Place& place);

// --input, --classes, --frames and --channels of a net that no file describes; what is not given stays the net's own.
void add_net_size(CLI::App& verb, ModelOptions& net);

CLI::Validator numbers_from(double low, double high);  // of an option; CLI::Range lets NaN through
void add_seed(CLI::App& verb, std::uint64_t& seed, const std::string& what);  // --seed: 0 to 2^63 - 1
// Files as given; folders become the pictures and videos anywhere below them, sorted. Exit::data if there is none.
std::vector<std::string> sample_files(const std::vector<std::string>& given);
void make_folder(const std::string& path);  // with those above it; Exit::data if it is not there and writable then

Json stage_json(const StageTimes& times);                      // ms that each stage of reading took of a sample
void print_json(const Json& value);                            // one line to stdout; invalid UTF-8 becomes U+FFFD
std::pair<i64, i64> parse_size(const std::string& text);       // "224" or "480x640" (height × width); usage error
std::vector<std::string> read_lines(const std::string& path);  // without line ends; Exit::data if unreadable or empty

}  // namespace dactyl
