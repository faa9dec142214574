// What each step measured, brought from the device to the host without making the device wait.
#pragma once

#include <chrono>
#include <functional>
#include <vector>

#include "engine/engine.h"

namespace dactyl {

struct StepRow {
  i64 step = 0;  // from 1
  double loss = 0, accuracy = 0, rate = 0, samples_per_s = 0;
  double wait = 0;     // share of the time in which the device waited for data
  double seconds = 0;  // that the step took; of several read at once their mean
};

// The step adds to `counters` (zeroed by it first); note() queues their copy to page-locked memory. Rows come out in
// order: on the CPU at once, on a GPU some 20 steps late, when their copies have long arrived.
class StepBook {
 public:
  using Take = std::function<void(const StepRow&)>;
  explicit StepBook(Take take);

  Tensor counters;                                  // f64 (4): loss·n, n, top-1 hits, top-5 hits
  void note(i64 step, double rate, double waited);  // waited: seconds since the start, never falling
  void flush();                                     // all rows that are still due; waits for the device
  void restart();                                   // forgets rows not taken and sets the clock

 private:
  using Clock = std::chrono::steady_clock;
  void give(std::size_t rows);

  Take take_;
  std::size_t interval_;
  std::shared_ptr<std::byte> ring_;
  std::vector<StepRow> due_;
  i64 noted_ = 0;  // rows ever noted: the place in the ring
  Event half_;     // when the older half of the due rows has arrived
  Clock::time_point since_ = Clock::now();
  double waited_ = 0, waited_before_ = 0;
};

}  // namespace dactyl
