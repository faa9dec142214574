// The loader's working half: threads that fill batches ahead of the one being used.
#pragma once

#include <condition_variable>
#include <exception>
#include <functional>
#include <thread>

#include "train/data/develop.h"
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
  // Where a device decodes: the block's twin there, complete when no slot is missing.
  std::vector<CodedSlot> coded;
  Tensor there;
  Event taken;  // set by the consumer: it has been read
};

// A ring of buffers. Work is handed out slot by slot in order, so every thread helps with the batch needed next.
// Batches are numbered through all epochs, and an epoch's first ones are filled while the last ones of the epoch before
// are used.
class Prefetch {
 public:
  using MakePlan = std::function<EpochPlan(i64 epoch)>;
  Prefetch(const DataSource& source, const LoaderOptions& options, const Shape& batch, i64 batches, MakePlan plan);
  ~Prefetch();

  // Fills batches from this one up to `end`. Goes on with what it has if this one is the next; else waits for the slots
  // in work and forgets the rest.
  void start(i64 batch, i64 end);
  BatchBuffer& wait(i64 batch);  // batches in turn
  void release(i64 batch);       // its buffer may be filled again
  bool ready(i64 batch);         // whether wait(batch) would return at once
  i64 threads() const { return static_cast<i64>(threads_.size()); }
  i64 block_bytes() const { return static_cast<i64>(ring_.front().size); }
  LoadTimes times();  // of all threads so far; nothing waited

 private:
  void work();
  bool can_take() const;
  bool goes_on(i64 batch) const;
  std::shared_ptr<const EpochPlan> plan_of(i64 ticket);
  void fill(const EpochPlan& plan, i64 ticket);
  void put_picture(i64 epoch, i64 sample, BatchBuffer& buffer, std::size_t slot);
  void put_filler(BatchBuffer& buffer, std::size_t slot) const;
  void develop(BatchBuffer& buffer);
  BatchBuffer& buffer_of(i64 batch) { return ring_[static_cast<std::size_t>(batch) % ring_.size()]; }

  const DataSource& source_;
  const LoaderOptions& options_;
  const i64 side_, batches_, slots_;  // slots: samples of a batch that this rank takes
  const std::size_t sample_bytes_;
  PictureCache cache_;
  std::unique_ptr<Developer> developer_;  // where a device decodes
  const MakePlan make_plan_;
  std::shared_ptr<const EpochPlan> plan_;  // of the ticket taken last
  std::vector<BatchBuffer> ring_;

  std::mutex mutex_;
  std::condition_variable work_there_, work_done_;
  i64 next_ticket_ = 0, end_ticket_ = 0;  // ticket = batch · slots + slot
  i64 released_ = -1;                     // batches before it are done with; -1: not started
  i64 busy_ = 0;
  LoadTimes times_;
  bool stop_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace dactyl
