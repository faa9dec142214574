// dactyl bench data: how fast samples are read, without a net.
#include <iostream>

#include "apps/bench.h"

namespace dactyl {
namespace {

struct DataOptions {
  std::string data, model = "googlenet";
  ModelOptions net{.auxiliary = false};
  LoadingOptions loading;
  std::string device = "auto";
  bool json = false, frame_folders = false;
};

// Those that took any time: " reading 0.012 ms, decoding 0.340 ms"
std::string stages_text(const StageTimes& times) {
  std::string text;
  for (std::size_t s = 0; s < load_stages; ++s)
    if (times.seconds[s] > 0)
      text += (text.empty() ? " " : ", ") + to_text(static_cast<LoadStage>(s)) + " " +
              fixed(1e3 * times.seconds[s] / static_cast<double>(times.samples), 3) + " ms";
  return text;
}

std::string decoded_text(const Loading& l) {
  if (l.decoder.empty()) return "";
  return "\ndecoded               " + to_text(l.decoded.on_device) + " by " + l.decoder + ", " +
         to_text(l.decoded.on_host) + " by the CPU";
}

void bench(const DataOptions& o) {
  const Use use(device_named(o.device));
  const InputSpec input = make_model(o.model, o.net).input;
  const auto source = loading_source(o.data, input.frames, o.frame_folders);
  const i64 batch = std::min(o.loading.batch, source->size());
  if (batch < o.loading.batch) std::cerr << "there are " << batch << " samples, so batches are of as many\n";
  const Loading result = measure_loading(o.data, *source, input, o.loading);
  const std::string frames = input.frames ? " frames " + to_text(input.frames) : "";
  Json row{{"key", "data " + o.data + " " + o.model + frames + " batch " + to_text(batch)},
           {"data", o.data},
           {"model", o.model},
           {"batch", batch},
           {"samples", result.samples},
           {"samples_per_s", result.samples_per_s},
           {"ms_per_sample", stage_json(result.alone)},
           {"ms_per_sample_together", stage_json(result.together)},
           {"slowest", to_text(result.together.slowest())},
           {"next", next_step(result.together, result.reading)},
           {"decoder", result.decoder.empty() ? "cpu" : result.decoder},
           {"decoded_on_gpu", result.decoded.on_device},
           {"decoded_on_cpu", result.decoded.on_host}};
  row.update(times_json(result.ms));
  row.update(machine_json({.threads = o.loading.threads}));
  if (o.json) return print_json(row);
  std::cout << "loader, all threads   " << fixed(result.samples_per_s, 1) << " samples/s, a batch in "
            << spread_text(result.ms) << decoded_text(result) << "\none thread, a sample  " << stages_text(result.alone)
            << "\n"
            << slowest_text(result.together, result.reading.threads)
            << "; a device that takes more waits; faster: " << next_step(result.together, result.reading) << '\n';
}

}  // namespace

void add_bench_data(CLI::App& bench_verb) {
  auto o = std::make_shared<DataOptions>();
  CLI::App* verb = add_verb(bench_verb, "data", "samples/s of the loader alone, and of its stages on one thread",
                            "  dactyl bench data photos --model googlenet\n"
                            "  dactyl bench data photos --decode gpu --threads 4\n"
                            "  dactyl bench data words.pack --model i3d --frames 20 --threads 8 --json");
  verb->add_option("DATA", o->data, "as train takes it: folder of classes, CSV, pack")->required();
  verb->add_option("--model", o->model, "whose input is made")->capture_default_str();
  verb->add_option("--frames", o->net.frames, "of a clip; default: the net's own")->check(CLI::Range(1, 4096));
  verb->add_option("--batch", o->loading.batch, "samples at once")->check(CLI::Range(1, 65536))->capture_default_str();
  verb->add_option("--threads", o->loading.threads, "that read; 0: one per core, at most 16")
      ->check(CLI::Range(0, most_threads));
  verb->add_option("--seconds", o->loading.seconds, "of measuring")
      ->check(numbers_from(0, 3600))
      ->capture_default_str();
  verb->add_option("--decode", o->loading.decode, "JPEG photos: auto, cpu, or gpu (nvJPEG)")->capture_default_str();
  verb->add_option("--device", o->device, "where batches go: auto, cpu, cuda or cuda:N")->capture_default_str();
  verb->add_flag("--frame-folders", o->frame_folders, "every folder of pictures is a clip, the pictures its frames");
  verb->add_flag("--json", o->json, "JSON to stdout");
  verb->callback([o] {
    Progress::silence(o->json);
    bench(*o);
  });
}

}  // namespace dactyl
