// dactyl bench layer: one layer alone, by each implementation; or one after the other, as lines come.
#include <fstream>
#include <iostream>

#include "apps/bench.h"

namespace dactyl {
namespace {

// "forward", "data,weights", "all": every pass that the kind has.
std::vector<LayerPass> passes_named(const std::string& names, const Descriptor& d) {
  const std::string list = names != "all" ? names : d.learns() ? "forward,data,weights" : "forward,data";
  std::vector<LayerPass> passes;
  std::istringstream words(list);
  for (std::string name; std::getline(words, name, ',');) {
    check(Exit::usage, name == "forward" || name == "data" || name == "weights",
          "--pass {}: expected forward, data, weights, several of them with commas, or all", names);
    passes.push_back(name == "data" ? LayerPass::data : name == "weights" ? LayerPass::weights : LayerPass::forward);
  }
  check(Exit::usage, !passes.empty(), "--pass: expected forward, data, weights or all");
  return passes;
}

void bench_all(const Descriptor& d, const std::string& passes, const LayerOptions& o) {
  for (const LayerPass pass : passes_named(passes, d)) bench_layer(d, pass, o);
}

// A line is a layer, and may have a word of its own, pass=, for which of its passes. Whether there was one.
bool bench_line(const std::string& line, const LayerOptions& o) {
  std::istringstream words(line);
  std::string layer, passes = o.pass;
  for (std::string word; words >> word;) {
    if (word.starts_with("pass="))
      passes = word.substr(5);
    else
      layer += (layer.empty() ? "" : " ") + word;
  }
  if (layer.empty()) return false;
  bench_all(parse_descriptor(layer), passes, o);
  Context::current().pool()->trim();  // the next one has other sizes
  return true;
}

void bench_from(std::istream& lines, const LayerOptions& o) {
  const std::string name = o.from == "-" ? "standard input" : o.from;
  i64 number = 0, layers = 0;
  for (std::string line; std::getline(lines, line);) try {
      ++number;
      layers += bench_line(line, o);
    } catch (const Error& error) {
      fail(error.exit(), "{}: line {}: {}", {name, to_text(number), error.what()});
    }
  check(Exit::data, layers > 0, "{}: holds no layer; expected one on each line", name);
}

void bench(const LayerOptions& o) {
  check(Exit::usage, o.line.empty() != o.from.empty(), "bench layer: expected one layer in quotes, or --from FILE");
  const auto use = enter(o.place);
  if (o.from.empty()) return bench_all(parse_descriptor(o.line), o.pass, o);
  if (o.from == "-") return bench_from(std::cin, o);
  std::ifstream file(o.from);
  check(Exit::data, file.good(), "{}: cannot be read; expected a layer on each line", o.from);
  bench_from(file, o);
}

}  // namespace

void add_bench_layer(CLI::App& bench_verb) {
  auto o = std::make_shared<LayerOptions>();
  CLI::App* verb = add_verb(
      bench_verb, "layer", "one layer alone, as a line that bench model --layers prints",
      "  dactyl bench layer \"conv3d x=32x10x56x56x64 k=3x3x3 s=1 p=same out=192 bf16\" --impl all --check\n"
      "  dactyl bench layer \"max_pool2d x=8x112x112x64 k=3 s=2 ceil fp32\" --pass data\n"
      "  dactyl bench layer --from layers.txt --pass all --json\n"
      "\nKinds: conv2d conv3d max_pool2d max_pool3d mean_pool2d mean_pool3d batch_norm\n"
      "batch_norm_max_pool2d batch_norm_max_pool3d lrn linear.\n"
      "Words: x=BATCHx…xCHANNELS, k= kernel, s= stride (1), p= padding (0; same; before:after), out=, groups=,\n"
      "into= (a slice of so many channels), n= (of lrn), bias, relu, ceil, frozen; fp32, tf32, bf16, fp16 or fp64.");
  verb->add_option("LAYER", o->line, "the layer, in quotes");
  verb->add_option("--from", o->from,
                   "file with a layer on each line, - for standard input: each is timed and printed when its line\n"
                   "comes; the word pass=data,weights behind a layer is its own --pass; what cannot be done is said");
  verb->add_option("--impl", o->impl,
                   "automatic, library (oneDNN, cuDNN, cuBLASLt), reference (plain loops) or all;\n"
                   "on a GPU all also searches anew and lists every way that is tried")
      ->check(CLI::IsMember({"all", "reference", "library", "automatic"}))
      ->capture_default_str();
  verb->add_option("--pass", o->pass,
                   "forward, or the gradient of the data or of the weights; several with commas, or all")
      ->capture_default_str();
  verb->add_flag("--check", o->check, "also the largest difference to the reference's result, over its largest number");
  verb->add_option("--device", o->place.device, "auto, cpu, cuda or cuda:N")->capture_default_str();
  verb->add_option("--threads", o->place.threads, "CPU threads; 0: one per core")->check(CLI::Range(0, most_threads));
  verb->add_option("--seconds", o->timing.seconds, "of measuring, each")
      ->check(numbers_from(0, 3600))
      ->capture_default_str();
  verb->add_flag("--json", o->json, "JSON to stdout, a line for each implementation");
  verb->callback([o] {
    Progress::silence(o->json);
    bench(*o);
  });
}

}  // namespace dactyl
