// What the parts of `dactyl bench` and `dactyl profile` share: the verb's parts, and their figures as JSON.
#pragma once

#include "apps/cli.h"
#include "benchmarks/bench.h"

namespace dactyl {

void add_bench_model(CLI::App& bench);
void add_bench_layer(CLI::App& bench);
void add_bench_op(CLI::App& bench);
void add_bench_ladder(CLI::App& bench);
void add_bench_data(CLI::App& bench);
void add_bench_roofs(CLI::App& bench);
void add_bench_compare(CLI::App& bench);
void add_bench_doctor(CLI::App& bench);

// A net as bench model and profile are told it.
struct BenchModelOptions {
  std::string model;
  ModelWorkOptions work;
  Place place;
  TimingOptions timing;
  std::string graph = "on";
  bool json = false, layers = false, check = false;
};
void add_bench_net(CLI::App& verb, BenchModelOptions& options);  // its options
ModelWorkOptions work_of(const BenchModelOptions& options);      // checked by make_model

// A layer as bench layer is told it: a line, or a file of them.
struct LayerOptions {
  std::string line, from, impl = "automatic", pass = "forward";
  Place place;
  TimingOptions timing{.seconds = 1};
  bool json = false, check = false;
};
// Times and prints one pass on the current device, a row for each implementation, at once. What an implementation
// cannot do is said in its row where others are asked too, or other layers follow.
void bench_layer(const Descriptor& layer, LayerPass pass, const LayerOptions& options);

// Where and when: device, driver, libraries, date, command, and the roofs where they were measured.
Json machine_json(const Place& place);
Json times_json(const std::vector<double>& ms);          // median_ms, p10_ms, p90_ms, runs, and up to 300 of the times
std::string spread_text(const std::vector<double>& ms);  // "1.234 ms (1.200 to 1.300)"
std::string fixed(double value, int digits);

}  // namespace dactyl
