// dactyl bench model: a net's inference or training step on random data.
#include <iostream>

#include "apps/bench.h"

namespace dactyl {
namespace {

// What a figure is of: two files are compared where this is the same.
std::string key_of(const BenchModelOptions& o, const ModelWork& work) {
  const InputSpec& input = work.model().input;
  std::string key = o.model + (o.work.train ? " training" : " inference") + " batch " + to_text(o.work.batch);
  key += " input " + to_text(input.height) + "x" + to_text(input.width);
  key += " classes " + to_text(work.model().classes);
  if (input.frames) key += " frames " + to_text(input.frames) + " channels " + to_text(input.channels);
  if (o.work.train) key += " " + o.work.optimizer.kind;
  if (o.work.train && o.work.recompute) key += " recompute";
  return key + " " + o.place.precision;
}

Json measured_json(const BenchModelOptions& o, const ModelWork& work, const Measured& m, i64 peak, double roof) {
  const double seconds = spread(m.ms).median * 1e-3, flops = work.flops();
  Json row{{"key", key_of(o, work)},
           {"model", o.model},
           {"training", o.work.train},
           {"batch", o.work.batch},
           {"precision", o.place.precision},
           {"samples_per_s", static_cast<double>(o.work.batch) / seconds},
           {"graph", m.captured},
           {"first_ms", m.first_ms},
           {"cpu_ms", m.cpu_ms},
           {"peak_bytes", peak + m.graph_bytes},
           {"flops", flops},
           {"matrix_roof_flops_per_s", roof},
           {"roof_percent", 100 * flops / seconds / roof}};
  row.update(times_json(m.ms));
  if (!m.why_eager.empty()) row["why_eager"] = m.why_eager;
  return row;
}

void print(const Json& row, const std::vector<double>& ms) {
  const auto number = [&](const char* key) { return row[key].get<double>(); };
  const double seconds = number("median_ms") * 1e-3;
  std::cout << row["key"].get<std::string>() << '\n'
            << "  time          " << spread_text(ms) << ", " << row["runs"] << " runs"
            << (row["graph"].get<bool>() ? ", one graph" : "") << '\n'
            << "  samples/s     " << fixed(number("samples_per_s"), 1) << '\n'
            << "  peak memory   " << fixed(number("peak_bytes") / (1 << 30), 3) << " GiB\n"
            << "  first step    " << fixed(number("first_ms"), 0) << " ms\n"
            << "  arithmetic    " << fixed(number("flops") * 1e-9, 2) << " GFLOP, "
            << fixed(number("flops") / seconds * 1e-12, 3) << " TFLOP/s, " << fixed(number("roof_percent"), 1)
            << " % of the matrix roof (" << fixed(number("matrix_roof_flops_per_s") * 1e-12, 3) << " TFLOP/s)\n";
  if (row.contains("error_fp32"))
    std::cout << "  against fp32  largest difference of a score " << to_text(row["error_fp32"].get<double>())
              << " of the largest score\n";
}

// Least seconds of a traced operation, where its line says its size. `picture`: the operation on the net's input, which
// has no gradient.
double bound_of(const Operation& o, const Operation& picture, bool training, const Roofs& roofs) {
  if (o.what.empty()) return 0;
  const Descriptor d = parse_descriptor(o.what);
  const auto least = [&](LayerPass pass) { return roofs.bound(layer_flops(d, pass), layer_bytes(d, pass, training)); };
  if (!o.backward) return least(LayerPass::forward);
  const bool data = o.layer != picture.layer || o.what != picture.what;
  return (data ? least(LayerPass::data) : 0) + (d.learns() ? least(LayerPass::weights) : 0);
}

Json layer_row(const OperationTimes& row, double bound) {
  const double ms = spread(row.ms).median;
  return {{"layer", row.operation.layer},
          {"op", row.operation.name},
          {"pass", row.operation.backward ? "backward" : "forward"},
          {"descriptor", row.operation.what},
          {"ms", ms},
          {"roof_percent", bound > 0 && ms > 0 ? Json(100 * bound * 1e3 / ms) : Json()}};
}

Json layers_of(ModelWork& work, const BenchModelOptions& o, const Roofs& roofs) {
  const std::vector<OperationTimes> all = measure_operations([&] { work(); }, o.timing);
  const auto first = std::find_if(all.begin(), all.end(), [](const auto& row) { return !row.operation.what.empty(); });
  const Operation picture = first == all.end() ? Operation() : first->operation;
  Json rows = Json::array();
  for (const OperationTimes& row : all)
    rows.push_back(layer_row(row, bound_of(row.operation, picture, o.work.train, roofs)));
  return rows;
}

void print_layers(const Json& rows) {
  std::cout << "\n        ms   % roof   operation, line for dactyl bench layer, layer\n";
  for (const Json& row : rows) {
    const std::string what = row["descriptor"].get<std::string>(), ms = fixed(row["ms"].get<double>(), 4);
    const std::string share = row["roof_percent"].is_null() ? "-" : fixed(row["roof_percent"].get<double>(), 1);
    const std::string back = row["pass"] == "backward" ? "back of " : "";
    std::cout << std::string(ms.size() < 10 ? 10 - ms.size() : 0, ' ') << ms
              << std::string(share.size() < 9 ? 9 - share.size() : 0, ' ') << share << "   " << back
              << (what.empty() ? row["op"].get<std::string>() : what) << "   " << row["layer"].get<std::string>()
              << '\n';
  }
}

void bench(const BenchModelOptions& o) {
  const auto use = enter(o.place);
  const ModelWorkOptions options = work_of(o);
  Json row;
  std::vector<double> ms;
  const Roofs roofs = measure_roofs(options.dtype);
  const auto pool = Context::current().pool();
  pool->trim();
  pool->reset_peak();
  ModelWork work(options);
  {
    const Measured m = measure([&] { work(); }, o.timing);
    row = measured_json(o, work, m, pool->peak(), roofs.flops_per_s);
    ms = m.ms;
  }
  if (o.check) row["error_fp32"] = error_against_fp32(options);
  if (o.layers) row["layers"] = layers_of(work, o, roofs);
  row.update(machine_json(o.place));
  if (o.json) return print_json(row);
  print(row, ms);
  if (o.layers) print_layers(row["layers"]);
  if (row.contains("why_eager")) std::cerr << "no graph: " << one_line(row["why_eager"].get<std::string>()) << '\n';
}

}  // namespace

void add_bench_net(CLI::App& verb, BenchModelOptions& o) {
  verb.add_option("MODEL", o.model, "a net that dactyl models lists")->required();
  verb.add_option("--batch", o.work.batch, "samples at once")->check(CLI::Range(1, 65536))->capture_default_str();
  verb.add_flag("--train", o.work.train, "a whole training step instead of inference");
  add_net_size(verb, o.work.net);
  verb.add_option("--opt", o.work.optimizer.kind, "sgd (momentum), adam or adamw")
      ->check(CLI::IsMember({"sgd", "adam", "adamw"}))
      ->capture_default_str();
  verb.add_option("--recompute", o.work.recompute,
                  "on: train in less memory, normalised numbers are computed again; off");
  verb.add_option("--graph", o.graph, "on: replay one captured graph on a GPU; off: eager")
      ->check(CLI::IsMember({"on", "off"}))
      ->capture_default_str();
  verb.add_option("--seconds", o.timing.seconds, "of measuring")->check(numbers_from(0, 3600))->capture_default_str();
  add_place(verb, o.place);
  verb.add_flag("--json", o.json, "JSON to stdout");
}

ModelWorkOptions work_of(const BenchModelOptions& o) {
  ModelWorkOptions options = o.work;
  options.model = o.model;
  options.dtype = dtype_of(o.place);
  return options;
}

void add_bench_model(CLI::App& bench_verb) {
  auto o = std::make_shared<BenchModelOptions>();
  CLI::App* verb =
      add_verb(bench_verb, "model", "a net's inference, or with --train its whole training step",
               "  dactyl bench model googlenet --batch 8\n"
               "  dactyl bench model googlenet --batch 8 --layers\n"
               "  dactyl bench model i3d --frames 20 --channels 2 --batch 32 --train --precision bf16 --json");
  add_bench_net(*verb, *o);
  verb->add_flag("--layers", o->layers, "every operation's time, and its line for dactyl bench layer");
  verb->add_flag("--check", o->check, "also the scores' difference to those in fp32");
  verb->callback([o] {
    Progress::silence(o->json);
    o->timing.graph = o->graph == "on";
    bench(*o);
  });
}

}  // namespace dactyl
