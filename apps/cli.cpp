// What all verbs share: options for the place and the model, small readers and writers.
#include "apps/cli.h"

#include <omp.h>

#include <charconv>
#include <iostream>
#include <sstream>

namespace dactyl {
namespace {

// A number of digits alone, or -1.
i64 digits(const std::string& text) {
  i64 value = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool good = error == std::errc() && end == text.data() + text.size() && !text.empty() && text[0] != '-';
  return good ? value : -1;
}

}  // namespace

CLI::App* add_verb(CLI::App& program, const std::string& name, const std::string& what, const std::string& examples) {
  CLI::App* verb = program.add_subcommand(name, what);
  // main takes these two off the command line before it is parsed; here they are for --help.
  verb->add_option("--config", "TOML file of options: its keys are the long options' names")->type_name("FILE.toml");
  verb->add_option("--set", "one option as key=value; wins over --config")->type_name("KEY=VALUE");
  if (!examples.empty()) verb->footer("\nExamples:\n" + examples);
  return verb;
}

void add_place(CLI::App& verb, Place& place) {
  verb.add_option("--device", place.device, "auto, cpu, cuda or cuda:N")->capture_default_str();
  verb.add_option("--precision", place.precision, "fp32, tf32 or bf16")
      ->check(CLI::IsMember({"fp32", "tf32", "bf16"}))
      ->capture_default_str();
  verb.add_option("--threads", place.threads, "CPU threads, 0 to 256; 0: one per core")
      ->check(CLI::Range(0, most_threads));
}

void add_views(CLI::App& verb, int& views) {
  verb.add_option("--views", views,
                  "views of a picture averaged: 1, 2 (also mirrored) or 10 (corners and centre, mirrored)")
      ->check(CLI::IsMember({1, 2, 10}))
      ->capture_default_str();
}

CLI::Validator numbers_from(double low, double high) {
  const std::string range = "a number from " + to_text(low) + " to " + to_text(high);
  const auto wrong = [=](const std::string& text) {
    double value = 0;
    const bool good = CLI::detail::lexical_cast(text, value) && value >= low && value <= high;
    return good ? std::string() : "expected " + range + ", not " + text;
  };
  return {wrong, range};
}

void add_seed(CLI::App& verb, std::uint64_t& seed, const std::string& what) {
  const auto set = [&seed](const std::string& text) {
    const i64 value = digits(text);
    check(Exit::usage, value >= 0, "--seed {}: expected a whole number from 0 to {}", text, i64{INT64_MAX});
    seed = static_cast<std::uint64_t>(value);
  };
  verb.add_option_function<std::string>("--seed", set, what)->type_name("NUMBER")->default_str(std::to_string(seed));
}

std::unique_ptr<Use> enter(const Place& place) {
  if (place.threads > 0) omp_set_num_threads(place.threads);
  auto use = std::make_unique<Use>(device_named(place.device));
  if (place.precision == "tf32") use->context().math = Math::tf32;
  return use;
}

DType dtype_of(const Place& place) { return place.precision == "bf16" ? DType::bf16 : DType::f32; }

Json stage_json(const StageTimes& times) {
  Json row;
  for (std::size_t s = 0; s < load_stages; ++s)
    row[to_text(static_cast<LoadStage>(s))] =
        times.samples ? 1e3 * times.seconds[s] / static_cast<double>(times.samples) : 0.0;
  return row;
}

void print_json(const Json& value) { std::cout << value.dump(-1, ' ', false, Json::error_handler_t::replace) << '\n'; }

std::pair<i64, i64> parse_size(const std::string& text) {
  const std::size_t cross = text.find('x');
  const i64 height = digits(text.substr(0, cross)),
            width = cross == text.npos ? height : digits(text.substr(cross + 1));
  check(Exit::usage, height > 0 && width > 0 && height <= 16384 && width <= 16384,
        "size '{}': expected a side like 224 or HEIGHTxWIDTH like 480x640, up to 16384", text);
  return {height, width};
}

std::vector<std::string> read_lines(const std::string& path) {
  std::istringstream file(text_file(path, Exit::data));
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    lines.push_back(line);
  }
  check(Exit::data, !lines.empty(), "{}: is empty; one entry per line was expected", path);
  return lines;
}

}  // namespace dactyl
