// dactyl tune: searches the plans of a net's convolutions now, so that its first step need not wait for them.
#include <iostream>

#include "apps/cli.h"

namespace dactyl {
namespace {

struct TuneChoice {
  std::string model;
  ModelOptions net;
  i64 batch = 32;
  bool training = false, json = false;
  Place place;
};

void check_place() {
  check(Exit::usage, Context::current().device().is_cuda(),
        "tune: plans are for GPUs, and this would run on the CPU, which needs none; --device cuda wants a GPU");
  check(Exit::usage, !plan_folder().empty(),
        "tune: nothing would be kept, since DACTYL_CACHE is off or there is no home; set DACTYL_CACHE to a folder");
}

void print(const TuneChoice& o, const TuneResult& r) {
  std::cout << o.model << ", batch " << o.batch << ", " << o.place.precision << (o.training ? ", training" : "") << ": "
            << r.searched + r.remembered << " convolutions, " << r.searched << " searched in " << to_text(r.searching)
            << " s, " << r.remembered << " from " << plan_folder() << "; " << to_text(r.seconds) << " s in all\n";
  if (r.without) std::cout << "note: " << r.without << " of them no library computes: plain loops do, slowly\n";
}

void run(const TuneChoice& o) {
  const auto use = enter(o.place);
  check_place();
  Model model = make_model(o.model, o.net);
  Progress::silence(o.json);
  const TuneResult r = tune(model, {.batch = o.batch, .dtype = dtype_of(o.place), .training = o.training});
  if (!o.json) return print(o, r);
  print_json({{"model", o.model},
              {"problems", r.searched + r.remembered},
              {"searched", r.searched},
              {"remembered", r.remembered},
              {"without", r.without},
              {"seconds", r.seconds},
              {"searching_s", r.searching},
              {"folder", plan_folder()}});
}

}  // namespace

void add_tune(CLI::App& program) {
  auto o = std::make_shared<TuneChoice>();
  CLI::App* verb =
      add_verb(program, "tune", "finds the fastest way of each convolution of a net on this GPU, and keeps it",
               "  dactyl tune --model googlenet --batch 128 --precision bf16 --train\n"
               "  dactyl tune --model i3d --frames 20 --batch 32 --precision bf16\n"
               "  dactyl tune --model i3d --channels 2 --batch 8 --json");
  verb->add_option("--model", o->model, "as listed by dactyl models")->required();
  verb->add_option("--batch", o->batch, "samples of a step")->check(CLI::Range(1, 100000))->capture_default_str();
  verb->add_flag("--train", o->training, "the passes of a training step too");
  add_net_size(*verb, o->net);
  add_place(*verb, o->place);
  verb->add_flag("--json", o->json, "JSON to stdout");
  verb->callback([o] { run(*o); });
}

}  // namespace dactyl
