// bench_nets: times a net's inference on one device and prints the median, with spread, for scripts and people.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <iostream>
#include <nlohmann/json.hpp>

#include "nets/nets.h"

namespace {

using namespace dactyl;

struct Options {
  std::string model = "googlenet", device = "auto", dtype = "f32";
  i64 batch = 1;
  double seconds = 2;
  bool json = false, layers = false;
};

double timed(const Model& model, const Tensor& x) {
  Pass pass;
  const auto start = std::chrono::steady_clock::now();
  model.forward(x, pass);
  Context::current().compute().synchronize();
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

// Until the time is spent, at least five times, after three runs that warm plans and caches.
std::vector<double> measure(const Model& model, const Tensor& x, double seconds) {
  for (int i = 0; i < 3; ++i) timed(model, x);
  std::vector<double> times;
  for (double spent = 0; spent < seconds * 1e3 || times.size() < 5; spent += times.back())
    times.push_back(timed(model, x));
  std::sort(times.begin(), times.end());
  return times;
}

void print_layers(const Model& model, const Tensor& x) {
  trace_timing(true);
  for (int i = 0; i < 20; ++i) timed(model, x);
  for (const Timing& row : trace_table())
    std::cerr << row.seconds / static_cast<double>(row.calls) * 1e3 << " ms  " << row.name << "\n";
  trace_timing(false);
}

int run(const Options& o) {
  const Use use(device_named(o.device));
  Model model = make_model(o.model, {.auxiliary = false});
  model.to(Context::current().device());
  model.parameters->to(dtype_named(o.dtype));
  Tensor x(model.input.shape(o.batch), DType::f32, Device::cpu());
  Sequence random(1);
  for (i64 i = 0; i < x.count(); ++i) x.data<float>()[i] = static_cast<float>(random.uniform(-1, 1));
  x = x.to(dtype_named(o.dtype)).to(Context::current().device());
  const std::vector<double> times = measure(model, x, o.seconds);
  const double median = times[times.size() / 2], low = times[times.size() / 10], high = times[times.size() * 9 / 10];
  if (o.layers) print_layers(model, x);
  if (o.json) {
    std::cout << nlohmann::json{{"model", o.model},    {"batch", o.batch}, {"device", o.device}, {"dtype", o.dtype},
                                {"median_ms", median}, {"p10_ms", low},    {"p90_ms", high},     {"runs", times.size()}}
              << "\n";
  } else {
    std::cout << o.model << " batch " << o.batch << ": " << median << " ms (" << low << " to " << high << "), "
              << static_cast<double>(o.batch) * 1e3 / median << " images/s\n";
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  Options o;
  CLI::App app{"Times a net's inference on random input."};
  app.add_option("--model", o.model);
  app.add_option("--device", o.device, "auto, cpu, cuda, cuda:N");
  app.add_option("--dtype", o.dtype, "f32, bf16, f16");
  app.add_option("--batch", o.batch);
  app.add_option("--seconds", o.seconds, "how long to measure");
  app.add_flag("--json", o.json);
  app.add_flag("--layers", o.layers, "where the time goes, to stderr");
  CLI11_PARSE(app, argc, argv);
  try {
    return run(o);
  } catch (const Error& e) {
    std::cerr << "bench_nets: " << e.what() << "\n";
    return static_cast<int>(e.exit());
  }
}
