// Timing the loader.
#include "benchmarks/loading.h"

#include <chrono>

#include "engine/engine.h"
#include "train/data/loader.h"
#include "train/data/nvjpeg_decoder.h"
#include "train/progress.h"
#include "train/run_data.h"

namespace dactyl {
namespace {

double host_ms() {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// One sample after the other.
StageTimes measure_stages(const DataSource& source, const InputSpec& input, double seconds) {
  const double end = host_ms() + seconds * 1e3;
  take_stage_times();
  i64 count = 0;
  for (; count < source.size() && (count < 3 || host_ms() < end); ++count)
    prepared(source.image(count * 7919 % source.size()), input);
  StageTimes times = take_stage_times();
  times.samples = count;
  return times;
}

}  // namespace

std::shared_ptr<const DataSource> loading_source(const std::string& path, i64 frames, bool frame_folders) {
  TrainOptions options;
  options.data = path;
  options.frame_folders = frame_folders;
  if (frames) options.clips = "segments=" + to_text(frames), options.test_clips = "uniform=" + to_text(frames);
  return open_samples(path, {}, sample_choice(options));
}

Loading measure_loading(const std::string& path, const DataSource& source, const InputSpec& input,
                        const LoadingOptions& o) {
  check(Exit::data, source.size() > 0, "bench data: there are no samples");
  Loading result;
  result.alone = measure_stages(source, input, o.seconds / 4);
  const LoaderOptions options{.batch = std::min(o.batch, source.size()),
                              .threads = o.threads,
                              .input = input,
                              .training = true,
                              .cache_bytes = 0,
                              .device = Context::current().device(),
                              .decoder = decoder_named(o.decode, Context::current().device())};
  Loader loader(source, options);
  Progress progress("loading", static_cast<i64>(o.seconds * 1e3), "ms");
  const double start = host_ms();
  double last = start;
  const auto more = [&] { return result.ms.empty() || last - start < o.seconds * 1e3; };
  for (i64 epoch = 0; more(); ++epoch) {
    loader.start(epoch);
    for (Batch batch; more() && loader.next(batch);) {
      Context::current().compute().synchronize();
      const double now = host_ms();
      result.ms.push_back(now - last);
      result.samples += batch.count;
      progress.advance(static_cast<i64>(now - start) - static_cast<i64>(last - start));
      last = now;
    }
  }
  result.samples_per_s = static_cast<double>(result.samples) * 1e3 / (last - start);
  result.together = loader.times().stages;
  result.decoded = loader.times().decoded;
  if (options.decoder) result.decoder = options.decoder->name();
  result.reading = reading_of(path, "none", source, options, loader.threads());
  return result;
}

}  // namespace dactyl
