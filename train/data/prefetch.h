// The loader's working half: threads that fill batches ahead of the one being used.
#pragma once

#include <condition_variable>
#include <exception>
#include <thread>

#include "train/data/loader.h"
#include "train/data/picture_cache.h"

namespace dactyl {

// What one epoch consists of.
struct EpochPlan {
  i64 epoch = 0;
  std::vector<i64> order;  // samples, in the order of use
};

// Memory for one batch, page-locked where there is a GPU.
struct BatchBuffer {
  BatchBuffer(i64 slots, i64 picture_bytes);
  std::size_t size;  // of the block, which holds the next three
  std::shared_ptr<std::byte> block;
  std::uint8_t* bytes;
  float* geometry;
  std::int32_t* labels;
  std::vector<i64> samples;                // −1: filler
  std::vector<std::vector<Fault>> faults;  // per slot
  std::exception_ptr error;                // of the lowest slot that failed
  i64 error_slot = 0, missing = 0;         // slots not filled yet
  Event copied;                            // set by the consumer; reached before the buffer is filled again
};

// A ring of buffers. Work is handed out slot by slot in order, so every thread helps with the batch needed next.
class Prefetch {
 public:
  Prefetch(const DataSource& source, const LoaderOptions& options, const Shape& batch, i64 batches);
  ~Prefetch();

  void start(EpochPlan plan, i64 batch);  // waits for the slots in work, forgets the rest
  BatchBuffer& wait(i64 batch);           // batches in turn
  void release(i64 batch);                // its buffer may be filled again
  bool ready(i64 batch);                  // whether wait(batch) would return at once
  i64 threads() const { return static_cast<i64>(threads_.size()); }
  i64 block_bytes() const { return static_cast<i64>(ring_.front().size); }
  StageTimes stages();  // of all threads so far

 private:
  void work();
  bool can_take() const;
  void fill(i64 ticket);
  void put_picture(i64 sample, BatchBuffer& buffer, std::size_t slot);
  void put_filler(BatchBuffer& buffer, std::size_t slot) const;
  BatchBuffer& buffer_of(i64 batch) { return ring_[static_cast<std::size_t>(batch) % ring_.size()]; }

  const DataSource& source_;
  const LoaderOptions& options_;
  const i64 side_, batches_, slots_;  // slots: samples of a batch that this rank takes
  const std::size_t sample_bytes_;
  PictureCache cache_;
  EpochPlan plan_;
  std::vector<BatchBuffer> ring_;

  std::mutex mutex_;
  std::condition_variable work_there_, work_done_;
  i64 next_ticket_ = 0, end_ticket_ = 0;  // ticket = batch · slots + slot
  i64 released_ = 0;                      // batches before it are done with
  i64 busy_ = 0;
  StageTimes stages_;
  bool stop_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace dactyl
