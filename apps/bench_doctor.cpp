// dactyl bench doctor: whether a net's step takes the ways it should, before anybody asks how fast they are.
#include <iostream>

#include "apps/bench.h"

namespace dactyl {
namespace {

struct Findings {
  i64 layout_conversions = 0;  // slices copied into dense tensors in one step; everything else is channels last
  i64 loops = 0;               // a GPU's convolutions that no library computes
  bool captured = false;       // the step is one graph
  std::string why_eager;

  bool good(bool on_gpu) const { return layout_conversions == 0 && loops == 0 && (captured || !on_gpu); }
};

Findings examined(const ModelWorkOptions& options) {
  const PlanCounts before = plan_counts();
  ModelWork work(options);
  const Measured m = measure([&] { work(); }, {.seconds = 0, .least = 1});
  Findings found{.loops = plan_counts().without - before.without, .captured = m.captured, .why_eager = m.why_eager};
  const i64 copies = Tensor::layout_copies();
  work();
  Context::current().compute().synchronize();
  found.layout_conversions = Tensor::layout_copies() - copies;
  return found;
}

void line(const char* name, const std::string& what, bool good) {
  std::cout << "  " << name << what << (good ? "" : "   <- slow") << '\n';
}

void bench(const BenchModelOptions& o) {
  const auto use = enter(o.place);
  const bool on_gpu = Context::current().device().is_cuda();
  Json rows = Json::array();
  bool good = true;
  for (const bool train : {false, true}) {
    ModelWorkOptions options = work_of(o);
    options.train = train;
    const Findings f = examined(options);
    good = good && f.good(on_gpu);
    rows.push_back({{"model", o.model},
                    {"training", train},
                    {"batch", options.batch},
                    {"precision", o.place.precision},
                    {"layout_conversions", f.layout_conversions},
                    {"convolutions_by_loops", f.loops},
                    {"graph", f.captured},
                    {"why_eager", f.why_eager},
                    {"good", f.good(on_gpu)}});
    if (o.json) continue;
    std::cout << o.model << (train ? " training" : " inference") << ", batch " << options.batch << ", "
              << o.place.precision << " on " << to_text(Context::current().device()) << '\n';
    line("layout conversions       ", to_text(f.layout_conversions), f.layout_conversions == 0);
    if (on_gpu) line("convolutions by loops    ", to_text(f.loops), f.loops == 0);
    line("one graph                ",
         !on_gpu      ? "no GPU, none needed"
         : f.captured ? "yes"
                      : "no: " + one_line(f.why_eager),
         f.captured || !on_gpu);
  }
  if (o.json) print_json(rows);
  check(Exit::check, good, "bench doctor: {} takes slow ways here", o.model);
}

}  // namespace

void add_bench_doctor(CLI::App& bench_verb) {
  auto o = std::make_shared<BenchModelOptions>();
  CLI::App* verb = add_verb(bench_verb, "doctor", "whether a net's inference and training step take the fast ways",
                            "  dactyl bench doctor googlenet-bn --batch 8\n"
                            "  dactyl bench doctor i3d --frames 20 --batch 8 --precision bf16 --json");
  verb->add_option("MODEL", o->model, "a net that dactyl models lists")->required();
  verb->add_option("--batch", o->work.batch, "samples at once")->check(CLI::Range(1, 65536))->capture_default_str();
  add_net_size(*verb, o->work.net);
  add_place(*verb, o->place);
  verb->add_flag("--json", o->json, "JSON to stdout");
  verb->callback([o] {
    Progress::silence(o->json);
    bench(*o);
  });
}

}  // namespace dactyl
