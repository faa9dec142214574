// How long the device takes for a piece of work, and for each operation in it.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "engine/engine.h"

namespace dactyl {

struct TimingOptions {
  double seconds = 2;  // of repeating, after what warms plans and captures
  i64 least = 5;       // repetitions, however long they take; 10 times the seconds end it anyway
  bool graph = true;   // replay a captured graph, on a GPU
};

struct Measured {
  std::vector<double> ms;  // of each repetition, in order; one event before and one behind it on a GPU
  double cpu_ms = 0;       // of all threads of the process, per repetition: what a busy machine changes least
  double first_ms = 0;     // of the first call of all, on the host's clock: plans are searched, memory is taken
  bool captured = false;
  std::string why_eager;  // where a capture failed
  i64 graph_bytes = 0;    // of memory the graph holds
};
// The work follows the rules of engine/graph.h. Each repetition is waited for, so that none hides in another's time.
Measured measure(const std::function<void()>& work, const TimingOptions& options);

struct OperationTimes {
  Operation operation;
  std::vector<double> ms;  // of each repetition
};
// The same with a stamp after every operation. Every run must do the same operations.
std::vector<OperationTimes> measure_operations(const std::function<void()>& work, const TimingOptions& options);

// Overwrites what a GPU's second-level cache holds; nothing on a CPU. May be captured.
class CacheSweep {
 public:
  CacheSweep();
  void operator()() {
    if (numbers_.defined()) numbers_.fill(0);
  }

 private:
  Tensor numbers_;
};

// Uniform numbers in [−1, 1), of u8 all bytes, of i32 numbers below `below`; on the current device.
Tensor random_numbers(Shape shape, DType type, std::uint64_t seed, i64 below = 256);

}  // namespace dactyl
