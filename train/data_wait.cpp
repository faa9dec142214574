// The verdict on a training's input.
#include "train/data_wait.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <thread>

#include "train/data/pack.h"

namespace dactyl {
namespace {

constexpr i64 first_steps = 40;

std::string number(double value, const char* format) {
  char text[32];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

std::string percent(double share) { return number(100 * share, "%.0f %%"); }

// Where a picture's cost is its size; kept pictures cost nothing of it any more.
std::string smaller_pictures(LoadStage stage, const Reading& r) {
  return "pictures stored with a short side of " + to_text(r.side) + " pixels take less " + to_text(stage);
}

std::string by_stage(LoadStage stage, const Reading& r) {
  switch (stage) {
    case LoadStage::read:
      return "a faster disk, or more memory for what the system keeps of its files";
    case LoadStage::augment:
      return "--aug without zoom and rotate, which the CPU computes; the device does the rest";
    case LoadStage::decode:
    case LoadStage::resize:
      if (!r.clips) return smaller_pictures(stage, r);
      [[fallthrough]];
    default:
      return "a machine with more cores; all " + to_text(r.cores) + " read already";
  }
}

}  // namespace

Reading reading_of(const std::string& data, const std::string& flow, const DataSource& source,
                   const LoaderOptions& options, i64 threads) {
  Reading r{.data = data, .clips = source.frames() > 1, .threads = threads};
  r.packed = r.clips && (flow == "cached" || is_pack(data));
  r.flow = flow == "on-the-fly";
  r.cores = std::max<i64>(std::thread::hardware_concurrency(), 1);
  r.side = std::max({options.input.resize_to, options.input.height, options.input.width});
  r.prepared_bytes = source.size() * source.channels() * r.side * r.side;
  r.kept_bytes = options.cache_bytes;
  r.memory_bytes = i64{sysconf(_SC_PHYS_PAGES)} * sysconf(_SC_PAGESIZE);
  return r;
}

void WaitMeter::add(const StepRow& row, const StageTimes& so_far) {
  ++rows_;
  if (rows_ <= first_steps || rows_ == settled() + 1) {
    from_ = to_;
    seconds_ = waited_ = 0;
  }
  to_ = so_far;
  if (rows_ <= first_steps) return;
  seconds_ += row.seconds;
  waited_ += row.seconds * row.wait;
}

i64 WaitMeter::settled() const { return std::max(per_epoch_, first_steps); }

DataWait WaitMeter::measured() const {
  if (seconds_ <= 0) return {};
  return {waited_ / seconds_, seconds_, rows_ <= settled(), to_ - from_};
}

std::string slowest_text(const StageTimes& stages, i64 threads) {
  const double each = stages.samples ? 1e3 * stages.all() / static_cast<double>(stages.samples) : 0;
  return to_text(stages.slowest()) + " takes " + percent(stages.share(stages.slowest())) + " of the " +
         number(each, "%.3g") + " ms that a sample costs " +
         (threads == 1 ? "the one thread that reads" : "one of " + to_text(threads) + " threads");
}

std::string next_step(const StageTimes& stages, const Reading& r) {
  if (r.flow) return "--flow cached computes the flow once";
  if (const i64 most = std::min<i64>(r.cores, most_threads); r.threads < most)
    return "--threads " + to_text(most) + ", as many as this machine has cores";
  if (r.clips && !r.packed)
    return "dactyl data pack " + r.data + " --out FILE.pack decodes all clips once; then --data FILE.pack";
  if (!r.clips && r.prepared_bytes > r.kept_bytes && r.prepared_bytes < r.memory_bytes / 2)
    return "--picture-memory " + to_text((r.prepared_bytes >> 20) + 1) + " keeps all pictures, decoded once";
  return by_stage(stages.slowest(), r);
}

std::string wait_text(const DataWait& wait, const Reading& r) {
  if (wait.share <= noticeable_wait) return "";
  return "the device waited for data " + percent(wait.share) + " of the time " +
         (wait.first_epoch ? "(first steps excepted)" : "after the first epoch") + ": " +
         slowest_text(wait.stages, r.threads) + "; faster: " + next_step(wait.stages, r);
}

}  // namespace dactyl
