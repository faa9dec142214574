// Threads that decode ahead, pinned memory, the copy stream: next(batch).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "train/data/augment.h"
#include "train/data/load_stage.h"
#include "train/data/source.h"

namespace dactyl {

class PlaneDecoder;

// Tensors on the loader's device, at addresses that stay the same from batch to batch of one loader, so that a
// captured step can read them.
struct Batch {
  Tensor bytes;                   // u8 (N, H, W, C), prepared pictures, or (N, D, H, W, C), clips; C: 3, of flow 2
  Tensor geometry;                // f32 (N, 8)
  Tensor labels;                  // i32 (N); −1: filler of the last batch of an evaluation
  std::vector<i64> samples;       // indices into the source; −1 for filler
  i64 epoch = 0, index = 0;       // which batch of which epoch
  i64 count = 0;                  // real samples
};

constexpr int most_threads = 256;

struct LoaderOptions {
  i64 batch = 32;                 // over all ranks; Batch holds batch / ranks
  int threads = 0;                // 0: one per core, at most 16; never more than most_threads
  InputSpec input;
  AugmentOptions augment;
  bool training = false;          // shuffled by (seed, epoch), the incomplete last batch dropped; else in order, filled
  std::uint64_t seed = 1;
  int rank = 0, ranks = 1;        // this process's share of every batch
  double bad_limit = 0.01;        // training: share of bad samples of a class (and 100 in a row) past which it stops
  i64 bad_few = 5;                // so many bad samples of a class never stop it, whatever their share
  std::vector<bool> never_mirrored;  // by label: classes whose meaning a mirror would change; empty: none
  i64 cache_bytes = i64{2} << 30; // prepared pictures kept in memory, so that small data is decoded once; 0: none.
                                  // Clips are never kept: what decodes fast is a pack
  Device device;
  // JPEGs that it can decode are decoded and prepared on its device, which is `device`; null: the host decodes. Pixels
  // differ by roundings, bad samples do not. What is kept in memory is then the files, decoded every time.
  std::shared_ptr<PlaneDecoder> decoder;
};

// Pictures in batches, where a device decodes. Host: what it is not given or refuses, and what is zoomed or turned.
struct Decoded {
  i64 on_device = 0, on_host = 0;

  i64 all() const { return on_device + on_host; }
};

// Since a loader was made.
struct LoadTimes {
  double waited = 0;  // seconds that the device had nothing to do because next() waited; up to two batches late on a GPU
  StageTimes stages;  // what the threads did, ahead of the batches handed out
  Decoded decoded;

  LoadTimes& operator+=(const LoadTimes& more);
};

struct BadSample {
  std::string name, reason;
};

// The order of samples is a pure function of (seed, epoch): the same for any number of threads, and after a resume.
// A bad sample in training is replaced by the next good one of its class (by index, cyclically) and reported once; in
// evaluation it becomes filler and is reported. Training on fewer samples than a batch makes them the batch. The source
// outlives the loader; construct and use it on one thread, with `device` current.
class Loader {
 public:
  Loader(const DataSource& source, LoaderOptions options);
  ~Loader();
  void start(i64 epoch, i64 batch = 0);    // position; also skips ahead after a resume
  bool next(Batch& batch);                 // false at the end of the epoch; rethrows a worker's error
  i64 batches() const;                     // per epoch
  LoadTimes times() const;
  i64 threads() const;                     // that read
  std::vector<BadSample> bad() const;      // so far, in order of name

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace dactyl
