// What is known about the plans of GPU convolutions: for people and for progress bars.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "engine/device.h"

namespace dactyl {

// Of this process, all threads, since its start.
struct PlanCounts {
  i64 searched = 0;    // problems whose ways were tried
  i64 remembered = 0;  // problems found in a file
  i64 without = 0;     // of both, those that are left to plain loops
  double seconds = 0;  // spent searching
};
PlanCounts plan_counts();

// Told of every problem that is settled, in the thread that met it: searched or remembered, and by which way it is
// computed ("none": plain loops). One listener for the process; an empty function ends it. It may not ask for counts.
using PlanListener = std::function<void(const std::string& problem, bool searched, const std::string& way)>;
void listen_to_plans(PlanListener listener);

// Told of every way that a search finds right and times, in the thread that searches: for comparing them. One listener
// for the process; an empty function ends it.
using WayListener = std::function<void(const std::string& problem, const std::string& way, double seconds)>;
void listen_to_ways(WayListener listener);

// A file of plans as it lies on the disk. Damaged files are not listed.
struct PlanFile {
  std::string path, machine;  // "NVIDIA H100 80GB HBM3, 132 SMs, CUDA driver 13000, cuDNN 91900, cuBLASLt 130000"
  i64 plans = 0;
};
// Where they lie: $DACTYL_CACHE, else $XDG_CACHE_HOME/dactyl, else ~/.cache/dactyl. Empty, and nothing is kept, if
// DACTYL_CACHE is "off" or there is no home.
std::string plan_folder();
std::vector<PlanFile> plan_files();

// For the search: counts a problem and tells the listener. Without a listener, long searching is said on
// stderr, every ten seconds anew.
void settled(const std::string& problem, bool searched, const std::string& way, double seconds);
void timed(const std::string& problem, const std::string& way, double seconds);  // tells the listener of ways

}  // namespace dactyl
