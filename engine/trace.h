// Named ranges: for the profiler's timeline, for a timing table per name, and for error texts that say where.
#pragma once

#include <string>
#include <vector>

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

}  // namespace dactyl
