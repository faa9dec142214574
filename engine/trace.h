// Named ranges: for the profiler's timeline, for a timing table per name, and for error texts that say where. And
// operations told apart one by one.
#pragma once

#include <string>
#include <vector>

#include "engine/stamp.h"

namespace dactyl {

// Lives as long as the work it names. Nested names join with '/'. Costs a push and a pop unless timing is on.
class Range {
 public:
  explicit Range(const std::string& name);
  ~Range();
  Range(const Range&) = delete;
  Range& operator=(const Range&) = delete;
  static std::string path();  // of this thread, "" outside any range

 private:
  double start_ = 0;
};

struct Timing {
  std::string name;
  long calls;
  double seconds;  // with the device synchronised at both ends
};
void trace_timing(bool on);         // this thread; clears the table
std::vector<Timing> trace_table();  // sorted by time, largest first

// One operation of a pass, forwards or on the way back.
struct Operation {
  std::string layer, name, what;  // innermost Range; "conv"; its sizes as a line that can be replayed, or ""
  bool backward = false;
};

// While one is alive, this thread's operations leave a stamp at their end: what the device did since the stamp before
// is theirs. Not nestable. Works inside a capture too: the seconds are then those of the graph's last replay.
class OperationTrace {
 public:
  OperationTrace();
  ~OperationTrace();
  OperationTrace(const OperationTrace&) = delete;
  OperationTrace& operator=(const OperationTrace&) = delete;
  void restart();  // forgets what there was
  const std::vector<Operation>& operations() const { return operations_; }
  std::vector<double> seconds() const;  // of each operation; waits for the device

 private:
  friend void trace_begin();
  friend void trace_done(const Operation&);
  std::vector<Operation> operations_;
  std::vector<Stamp> stamps_;  // one more than operations
};
bool tracing();
void trace_begin();                      // where the first operation after restart() begins: called by the work itself
void trace_what(std::string what);       // sizes of the operation that ends next; call it only while tracing
Operation trace_done(const char* name);  // ends an operation within the current range; nothing unless tracing
void trace_done(const Operation& already);  // the same by its description, for the way back

}  // namespace dactyl
