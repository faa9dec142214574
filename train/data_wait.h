// Whether the device waits for data, which stage of the reading holds it up, and what to do about that.
#pragma once

#include "train/data/loader.h"
#include "train/step_book.h"

namespace dactyl {

// How samples come from disk, as far as it can be changed.
struct Reading {
  std::string data;                        // as --data names it
  bool clips = false, packed = false;      // packed: a store of dactyl data pack or dactyl flow
  bool flow = false;                       // computed whenever a clip is read
  i64 threads = 0, cores = 0;              // threads: that read
  i64 prepared_bytes = 0, kept_bytes = 0;  // of all pictures as the net wants them; the most that is kept in memory
  i64 memory_bytes = 0;                    // of this machine
  i64 side = 0;                            // short side of prepared pictures, in pixels
};
// flow: as --flow says.
Reading reading_of(const std::string& data, const std::string& flow, const DataSource& source,
                   const LoaderOptions& options, i64 threads);

struct DataWait {
  double share = 0, seconds = 0;  // of so many seconds of training the device waited this share
  bool first_epoch = false;       // they are of the first epoch, there was no other
  StageTimes stages;              // what the loader's threads did meanwhile
};
constexpr double noticeable_wait = 0.05;

// Adds up the rows of a stage: of the first epoch, which may still fill caches, only while there is no other, and never
// of the first 40 steps, which search plans (on a GPU rows come by twenties, which share their time).
class WaitMeter {
 public:
  explicit WaitMeter(i64 steps_per_epoch) : per_epoch_(steps_per_epoch) {}
  void add(const StepRow& row, const StageTimes& so_far);  // so_far: of all the loaders since the first row
  DataWait measured() const;

 private:
  i64 settled() const;  // rows of warming up

  i64 per_epoch_, rows_ = 0;
  double seconds_ = 0, waited_ = 0;
  StageTimes from_, to_;
};

// "decoding takes 71 % of the 3.01 ms that a sample costs one of 16 threads"
std::string slowest_text(const StageTimes& stages, i64 threads);
// What makes the stage that takes longest faster; always something.
std::string next_step(const StageTimes& stages, const Reading& reading);
// One line; empty where the device did not wait noticeably.
std::string wait_text(const DataWait& wait, const Reading& reading);

}  // namespace dactyl
