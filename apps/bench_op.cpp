// dactyl bench op and bench roofs: operations that move bytes, and what the machine can move at most.
#include <iostream>

#include "apps/bench.h"

namespace dactyl {
namespace {

struct OpOptions {
  std::string name;
  Place place;
  TimingOptions timing{.seconds = 0.5};
  i64 batch = 0;
  bool json = false;
};

Json measured(const OperationCase& c, bool both, double copy, const TimingOptions& timing) {
  const std::vector<double> ms = work_ms(measure_operations(both ? c.both : c.forward, timing), false);
  const double bytes = both ? c.both_bytes : c.forward_bytes, rate = bytes / (spread(ms).median * 1e-3);
  Json row{{"key", c.name + " " + c.what + (both ? " forward+backward" : " forward")},
           {"op", c.name},
           {"what", c.what},
           {"pass", both ? "forward+backward" : "forward"},
           {"bytes", bytes},
           {"bytes_per_s", rate},
           {"copy_roof_bytes_per_s", copy},
           {"roof_percent", 100 * rate / copy}};
  row.update(times_json(ms));
  return row;
}

void print(const Json& row) {
  std::cout << "  " << (row["pass"] == "forward" ? "forward            " : "forward+backward   ")
            << spread_text(row["ms"].get<std::vector<double>>()) << "  " << fixed(row["bytes"].get<double>() * 1e-6, 2)
            << " MB  " << fixed(row["bytes_per_s"].get<double>() * 1e-9, 1) << " GB/s  "
            << fixed(row["roof_percent"].get<double>(), 1) << " % of the copy roof\n";
}

void bench(const OpOptions& o) {
  const auto use = enter(o.place);
  const i64 batch = o.batch ? o.batch : Context::current().device().is_cuda() ? 32 : 1;
  const auto cases = operation_cases(o.name, batch, dtype_of(o.place), Context::current().math);
  const double copy = copy_roof();
  const Json machine = machine_json(o.place);
  for (const auto& make : cases) {
    const OperationCase c = make();
    if (!o.json) std::cout << c.name << ": " << c.what << '\n';
    for (const bool both : {false, true}) {
      if (both && !c.both) continue;
      Json row = measured(c, both, copy, o.timing);
      row.update(machine);
      o.json ? print_json(row) : print(row);
    }
  }
}

void roofs(const Place& place, bool json) {
  const auto use = enter(place);
  Json row{{"key", "roofs"}, {"copy_bytes_per_s", copy_roof(0.5)}};
  const bool gpu = Context::current().device().is_cuda();
  for (const std::string name : {"fp32", "tf32", "bf16"}) {
    if (name == "tf32" && !gpu) continue;
    Context::current().math = name == "tf32" ? Math::tf32 : Math::fp32;
    row["matrix_" + name + "_flops_per_s"] = matrix_roof(name == "bf16" ? DType::bf16 : DType::f32, 0.5);
  }
  if (!json) {
    for (const auto& [name, value] : row.items())
      if (value.is_number())
        std::cout << name << std::string(28 - name.size(), ' ') << fixed(value.get<double>() * 1e-9, 1) << "e9\n";
    return;
  }
  row.update(machine_json(place));
  print_json(row);
}

}  // namespace

void add_bench_op(CLI::App& bench_verb) {
  auto o = std::make_shared<OpOptions>();
  std::string names;
  for (const std::string& name : operation_names()) names += " " + name;
  CLI::App* verb =
      add_verb(bench_verb, "op", "an operation at the nets' sizes: time, bytes, share of the copy roof",
               "  dactyl bench op max_pool\n  dactyl bench op batch_norm --batch 32 --precision bf16 --json\n"
               "\nOperations:" +
                   names + ".");
  verb->add_option("OP", o->name, "which")->required();
  verb->add_option("--batch", o->batch, "samples; default: 32 on a GPU, 1 on a CPU")->check(CLI::Range(1, 65536));
  verb->add_option("--seconds", o->timing.seconds, "of measuring, each")
      ->check(numbers_from(0, 3600))
      ->capture_default_str();
  add_place(*verb, o->place);
  verb->add_flag("--json", o->json, "JSON to stdout, a line for each");
  verb->callback([o] {
    Progress::silence(o->json);
    bench(*o);
  });
}

void add_bench_roofs(CLI::App& bench_verb) {
  auto place = std::make_shared<Place>();
  auto json = std::make_shared<bool>(false);
  CLI::App* verb = add_verb(bench_verb, "roofs", "what this machine copies and multiplies at most",
                            "  dactyl bench roofs\n  dactyl bench roofs --device cuda --json");
  verb->add_option("--device", place->device, "auto, cpu, cuda or cuda:N")->capture_default_str();
  verb->add_option("--threads", place->threads, "CPU threads; 0: one per core")->check(CLI::Range(0, most_threads));
  verb->add_flag("--json", *json, "JSON to stdout");
  verb->callback([place, json] { roofs(*place, *json); });
}

}  // namespace dactyl
