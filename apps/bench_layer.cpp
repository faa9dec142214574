// dactyl bench layer: one layer alone, by each implementation.
#include <iostream>

#include "apps/bench.h"

namespace dactyl {
namespace {

struct LayerOptions {
  std::string line, impl = "automatic", pass = "forward";
  Place place;
  TimingOptions timing{.seconds = 1};
  bool json = false, check = false;
};

std::vector<Algorithm> algorithms(const std::string& name) {
  if (name == "all") return {Algorithm::automatic, Algorithm::library, Algorithm::reference};
  return {name == "reference" ? Algorithm::reference : name == "library" ? Algorithm::library : Algorithm::automatic};
}

LayerPass pass_named(const std::string& name) {
  return name == "data" ? LayerPass::data : name == "weights" ? LayerPass::weights : LayerPass::forward;
}

// What an implementation cannot do is said in its row, where others are asked too.
Json measured(const Descriptor& d, LayerPass pass, Algorithm algorithm, const LayerOptions& o, const Roofs& roofs) {
  Json row{{"key", to_text(d) + " " + to_text(pass) + " " + to_text(algorithm)},
           {"descriptor", to_text(d)},
           {"pass", to_text(pass)},
           {"impl", to_text(algorithm)}};
  try {
    const std::vector<double> ms = time_layer(d, pass, algorithm, o.timing);
    const double seconds = spread(ms).median * 1e-3, flops = layer_flops(d, pass), bytes = layer_bytes(d, pass);
    row.update(times_json(ms));
    row["flops"] = flops;
    row["bytes"] = bytes;
    row["roof_percent"] = 100 * roofs.bound(flops, bytes) / seconds;
    if (o.check && algorithm != Algorithm::reference) row["error"] = layer_error(d, pass, algorithm);
  } catch (const Error& error) {
    if (o.impl != "all" || error.exit() == Exit::device_lost || error.exit() == Exit::memory) throw;
    row["not"] = error.what();
  }
  return row;
}

void print(const Json& row) {
  std::string name = row["impl"].get<std::string>();
  name += std::string(12 - name.size(), ' ');
  if (row.contains("not")) {
    std::cout << name << "not: " << one_line(row["not"].get<std::string>()) << '\n';
    return;
  }
  const double seconds = row["median_ms"].get<double>() * 1e-3;
  std::cout << name << spread_text(row["ms"].get<std::vector<double>>());
  if (row["flops"] > 0) std::cout << "  " << fixed(row["flops"].get<double>() / seconds * 1e-12, 3) << " TFLOP/s";
  std::cout << "  " << fixed(row["bytes"].get<double>() / seconds * 1e-9, 1) << " GB/s  "
            << fixed(row["roof_percent"].get<double>(), 1) << " % of roof";
  if (row.contains("error")) std::cout << "  error " << to_text(row["error"].get<double>());
  std::cout << '\n';
}

void print(const std::vector<TriedWay>& ways) {
  std::string problem;
  for (const TriedWay& w : ways) {
    if (w.problem != problem) std::cout << "  " << (problem = w.problem) << '\n';
    std::cout << "    " << fixed(w.seconds * 1e3, 4) << " ms  " << w.way << '\n';
  }
}

Json json_of(const std::vector<TriedWay>& ways) {
  Json list = Json::array();
  for (const TriedWay& w : ways) list.push_back({{"problem", w.problem}, {"way", w.way}, {"ms", w.seconds * 1e3}});
  return list;
}

void bench(const LayerOptions& o) {
  const Descriptor d = parse_descriptor(o.line);
  const LayerPass pass = pass_named(o.pass);
  const auto use = enter(o.place);
  Context::current().math = d.math;
  const Roofs roofs = measure_roofs(d.dtype);
  if (!o.json) std::cout << to_text(d) << ", " << to_text(pass) << '\n';
  const WaysTried tried(o.impl == "all");
  for (const Algorithm algorithm : algorithms(o.impl)) {
    Json row = measured(d, pass, algorithm, o, roofs);
    if (!o.json) print(row);
    if (!o.json && algorithm == Algorithm::automatic) print(tried.ways());
    if (!tried.ways().empty() && algorithm == Algorithm::automatic) row["ways"] = json_of(tried.ways());
    row.update(machine_json(o.place));
    if (o.json) print_json(row);
  }
}

}  // namespace

void add_bench_layer(CLI::App& bench_verb) {
  auto o = std::make_shared<LayerOptions>();
  CLI::App* verb = add_verb(
      bench_verb, "layer", "one layer alone, as a line that bench model --layers prints",
      "  dactyl bench layer \"conv3d x=32x10x56x56x64 k=3x3x3 s=1 p=same out=192 bf16\" --impl all --check\n"
      "  dactyl bench layer \"max_pool2d x=8x112x112x64 k=3 s=2 ceil fp32\" --pass data\n"
      "\nKinds: conv2d conv3d max_pool2d max_pool3d mean_pool2d mean_pool3d batch_norm\n"
      "batch_norm_max_pool2d batch_norm_max_pool3d lrn linear.\n"
      "Words: x=BATCHx…xCHANNELS, k= kernel, s= stride (1), p= padding (0; same; before:after), out=, groups=,\n"
      "into= (a slice of so many channels), n= (of lrn), bias, relu, ceil, frozen; fp32, tf32, bf16, fp16 or fp64.");
  verb->add_option("LAYER", o->line, "the layer, in quotes")->required();
  verb->add_option("--impl", o->impl,
                   "automatic, library (oneDNN, cuDNN, cuBLASLt), reference (plain loops) or all;\n"
                   "on a GPU all also searches anew and lists every way that is tried")
      ->check(CLI::IsMember({"all", "reference", "library", "automatic"}))
      ->capture_default_str();
  verb->add_option("--pass", o->pass, "forward, or the gradient of the data or of the weights")
      ->check(CLI::IsMember({"forward", "data", "weights"}))
      ->capture_default_str();
  verb->add_flag("--check", o->check, "also the largest difference to the reference's result, over its largest number");
  verb->add_option("--device", o->place.device, "auto, cpu, cuda or cuda:N")->capture_default_str();
  verb->add_option("--threads", o->place.threads, "CPU threads; 0: one per core")->check(CLI::Range(0, most_threads));
  verb->add_option("--seconds", o->timing.seconds, "of measuring, each")
      ->check(CLI::Range(0.0, 3600.0))
      ->capture_default_str();
  verb->add_flag("--json", o->json, "JSON to stdout, a line for each implementation");
  verb->callback([o] {
    Progress::silence(o->json);
    bench(*o);
  });
}

}  // namespace dactyl
