// What this machine offers: processor, memory, disk, programs.
#pragma once

#include <string>
#include <vector>

namespace dactyl {

std::string processor_name();  // "AMD EPYC 9654 96-Core Processor"; "unknown" if the system hides it
std::vector<std::string>
vector_extensions();  // of those that speed arithmetic up, the ones present: "avx2", "amx-bf16"
int usable_cores();   // that this process may run on
double memory_gib();  // that can be used now: free and reclaimable, within the container's limit
double write_speed(const std::string& folder);  // MB/s of 64 MiB written and synced; Exit::data if it cannot be written
std::string gnuplot_version();                  // "gnuplot 5.4 patchlevel 4"; "" if there is none

}  // namespace dactyl
