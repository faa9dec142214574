// bench_flow_farneback: times dense Farnebäck flow of a batch of pairs on one device, for scripts and people.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cmath>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>

#include "kernels/flow_farneback.h"

namespace {

using namespace dactyl;

struct Options {
  std::string device = "auto", size = "340x256", call = "default", frames;
  i64 pairs = 1;
  double seconds = 2;
  bool json = false, reference = false;
};

// Moving waves with some noise; or the raw bytes of pairs + 1 frames from a file, each pair two neighbours.
Tensor frames(const Options& o, i64 height, i64 width) {
  Tensor x({o.pairs + 1, height, width}, DType::f32, Device::cpu());
  Sequence random(1);
  float* at = x.data<float>();
  for (i64 n = 0; n <= o.pairs; ++n)
    for (i64 i = 0; i < height * width; ++i) {
      const auto row = static_cast<double>(i / width), column = static_cast<double>(i % width) + static_cast<double>(n);
      *at++ = static_cast<float>(128 + 60 * std::sin(row / 5) * std::cos(column / 7) + random.uniform(-20, 20));
    }
  if (o.frames.empty()) return x;
  std::ifstream file(o.frames, std::ios::binary);
  std::vector<char> bytes(static_cast<std::size_t>(x.count()));
  file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  check(Exit::data, static_cast<bool>(file), "{} does not hold {} frames of {}", o.frames, o.pairs + 1, o.size);
  std::transform(bytes.begin(), bytes.end(), x.data<float>(), [](char c) { return static_cast<unsigned char>(c); });
  return x;
}

double timed(Graph& step) {
  const auto start = std::chrono::steady_clock::now();
  step.run();
  Context::current().compute().synchronize();
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

int run(const Options& o) {
  const Use use(device_named(o.device));
  const std::size_t cross = o.size.find('x');
  check(Exit::usage, cross != std::string::npos, "size {} is not WIDTHxHEIGHT", o.size);
  const i64 width = std::stol(o.size.substr(0, cross)), height = std::stol(o.size.substr(cross + 1));
  const Tensor x = frames(o, height, width).to(Context::current().device());
  FarnebackOptions options = o.call == "sample" ? farneback_of_sample() : FarnebackOptions{};
  if (o.reference) options.algorithm = Algorithm::reference;
  Graph step([&] { flow_farneback(x.rows(0, o.pairs), x.rows(1, o.pairs), options); });
  for (int i = 0; i < 3; ++i) timed(step);
  std::vector<double> times;
  for (double spent = 0; spent < o.seconds * 1e3 || times.size() < 5; spent += times.back())
    times.push_back(timed(step));
  std::sort(times.begin(), times.end());
  const double median = times[times.size() / 2], low = times[times.size() / 10], high = times[times.size() * 9 / 10];
  const double rate = static_cast<double>(o.pairs) * 1e3 / median;
  if (o.json)
    std::cout << nlohmann::json{{"size", o.size}, {"pairs", o.pairs},     {"device", o.device},
                                {"call", o.call}, {"p10_ms", low},        {"median_ms", median},
                                {"p90_ms", high}, {"runs", times.size()}, {"pairs_per_second", rate}}
              << "\n";
  else
    std::cout << o.pairs << " pairs of " << o.size << ", " << o.call << ": " << median << " ms (" << low << " to "
              << high << "), " << rate << " pairs/s\n";
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  Options o;
  CLI::App app{"Times dense Farnebäck flow."};
  app.add_option("--device", o.device, "auto, cpu, cuda, cuda:N");
  app.add_option("--size", o.size, "WIDTHxHEIGHT");
  app.add_option("--pairs", o.pairs, "in one call");
  app.add_option("--call", o.call, "default or sample")->check(CLI::IsMember({"default", "sample"}));
  app.add_option("--frames", o.frames, "grey bytes of pairs + 1 frames instead of waves");
  app.add_option("--seconds", o.seconds, "how long to measure");
  app.add_flag("--reference", o.reference, "the plain bodies");
  app.add_flag("--json", o.json);
  CLI11_PARSE(app, argc, argv);
  try {
    return run(o);
  } catch (const Error& e) {
    std::cerr << "bench_flow_farneback: " << e.what() << "\n";
    return static_cast<int>(e.exit());
  }
}
