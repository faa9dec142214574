// bench_flow: times dense optical flow of a batch of pairs on one device, for scripts and people.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cmath>
#include <iostream>
#include <nlohmann/json.hpp>

#include "kernels/flow.h"
#include "kernels/flow_farneback.h"
#include "weights/weights.h"

namespace {

using namespace dactyl;

struct Options {
  std::string algo = "tvl1", device = "auto", size = "340x256", frames;
  i64 pairs = 1;
  double seconds = 2;
  bool json = false, graph = false, reference = false;
};

struct Frames {
  Tensor from, to;  // (N, H, W)
};

// Waves of several lengths and directions, drifting differently from place to place: texture in smooth motion.
float brightness(double x, double y, double phase, double moved) {
  const double a = x - moved * (1.5 + std::sin(0.02 * y + phase)), b = y - moved * std::cos(0.015 * x + phase);
  const double wave = std::sin(0.31 * a + phase) + std::sin(0.23 * b) + std::sin(0.11 * a + 0.17 * b) +
                      std::sin(0.53 * a - 0.41 * b) + std::sin(0.05 * a - 0.07 * b);
  return static_cast<float>(std::round(127.5 + 25 * wave));
}

Frames waves(i64 pairs, i64 height, i64 width) {
  const Shape shape{pairs, height, width};
  Frames f{Tensor(shape, DType::f32, Device::cpu()), Tensor(shape, DType::f32, Device::cpu())};
  for (i64 i = 0; i < shape.count(); ++i) {
    const double x = static_cast<double>(i % width), y = static_cast<double>(i / width % height);
    const double phase = 0.3 * static_cast<double>(i / width / height);
    f.from.data<float>()[i] = brightness(x, y, phase, 0);
    f.to.data<float>()[i] = brightness(x, y, phase, 1);
  }
  return f;
}

// The waves, or the tensors `from` and `to` of a file.
Frames frames(const Options& o) {
  if (!o.frames.empty()) {
    const Checkpoint file = Checkpoint::read(o.frames);
    return {file.tensors.at("from"), file.tensors.at("to")};
  }
  const std::size_t cross = o.size.find('x');
  check(Exit::usage, cross != std::string::npos, "bench_flow: the size {} is not WIDTHxHEIGHT", o.size);
  return waves(o.pairs, std::stoll(o.size.substr(cross + 1)), std::stoll(o.size.substr(0, cross)));
}

std::function<Tensor(const Frames&)> algorithm(const Options& o) {
  const Algorithm bodies = o.reference ? Algorithm::reference : Algorithm::automatic;
  if (o.algo.starts_with("tvl1")) {
    Tvl1Options options = o.algo == "tvl1" ? Tvl1Options{} : tvl1_cpu();
    options.algorithm = bodies;
    return [options](const Frames& f) { return flow_tvl1(f.from, f.to, options); };
  }
  FarnebackOptions options = o.algo == "farneback" ? FarnebackOptions{} : farneback_of_sample();
  options.algorithm = bodies;
  return [options](const Frames& f) { return flow_farneback(f.from, f.to, options); };
}

// Until the time is spent, at least five times, after three runs that warm caches and capture the graph.
std::vector<double> measure(const std::function<void()>& work, double seconds) {
  std::vector<double> times;
  double spent = 0;
  for (int i = -3; spent < seconds * 1e3 || i < 5; ++i) {
    const auto start = std::chrono::steady_clock::now();
    work();
    Context::current().compute().synchronize();
    const double ms = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
    if (i < 0) continue;
    times.push_back(ms);
    spent += ms;
  }
  std::sort(times.begin(), times.end());
  return times;
}

int run(const Options& o) {
  const Use use(device_named(o.device));
  Frames f = frames(o);
  f = {f.from.to(Context::current().device()), f.to.to(Context::current().device())};
  const auto flow = algorithm(o);
  Tensor result;
  Graph graph([&] { result = flow(f); });
  const std::vector<double> times =
      o.graph ? measure([&] { graph.run(); }, o.seconds) : measure([&] { result = flow(f); }, o.seconds);
  check(!o.graph || graph.captured() || !Context::current().device().is_cuda(), "bench_flow: {}", graph.why_eager());
  const double median = times[times.size() / 2], low = times[times.size() / 10], high = times[times.size() * 9 / 10];
  const i64 pairs = f.from.shape()[0];
  const double rate = static_cast<double>(pairs) * 1e3 / median;
  if (o.json)
    std::cout << nlohmann::json{{"algo", o.algo},
                                {"device", o.device},
                                {"height", f.from.shape()[1]},
                                {"width", f.from.shape()[2]},
                                {"pairs", pairs},
                                {"median_ms", median},
                                {"p10_ms", low},
                                {"p90_ms", high},
                                {"runs", times.size()},
                                {"pairs_per_s", rate}}
              << "\n";
  else
    std::cout << o.algo << ", " << pairs << " pairs of " << to_text(f.from.shape()) << ": " << median << " ms (" << low
              << " to " << high << "), " << rate << " pairs/s\n";
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  Options o;
  CLI::App app{"Times dense optical flow."};
  app.add_option("--algo", o.algo,
                 "tvl1 (as OpenCV's CUDA version), tvl1-cpu (as its CPU version), farneback, farneback-sample")
      ->check(CLI::IsMember({"tvl1", "tvl1-cpu", "farneback", "farneback-sample"}));
  app.add_option("--device", o.device, "auto, cpu, cuda, cuda:N");
  app.add_option("--size", o.size, "WIDTHxHEIGHT of made-up frames");
  app.add_option("--frames", o.frames, "a safetensors file with from and to, (N, H, W) each, instead");
  app.add_option("--pairs", o.pairs, "how many made-up pairs are worked on together");
  app.add_option("--seconds", o.seconds, "how long to measure");
  app.add_flag("--graph", o.graph, "replay a captured graph");
  app.add_flag("--reference", o.reference, "the plain bodies instead of fast loops and kernels");
  app.add_flag("--json", o.json);
  CLI11_PARSE(app, argc, argv);
  try {
    return run(o);
  } catch (const Error& e) {
    std::cerr << "bench_flow: " << e.what() << "\n";
    return static_cast<int>(e.exit());
  }
}
