// What this machine offers: processor, memory, disk, programs.
#include "apps/machine.h"

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>

#include "engine/engine.h"

namespace dactyl {
namespace {

// The value behind "key : " of a /proc file.
std::string proc_value(const std::string& path, const std::string& key) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    const std::size_t colon = line.find(':');
    if (line.rfind(key, 0) != 0 || colon == line.npos) continue;
    const std::size_t first = line.find_first_not_of(" \t", colon + 1);
    return first == line.npos ? "" : line.substr(first);
  }
  return "";
}

double number_in(const std::string& path) {  // 0 if the file is missing or says "max"
  std::ifstream file(path);
  double value = 0;
  return file >> value ? value : 0;
}

}  // namespace

std::string processor_name() {
  const std::string name = proc_value("/proc/cpuinfo", "model name");
  return name.empty() ? "unknown" : name;
}

std::vector<std::string> vector_extensions() {
  const std::string flags =
      " " + proc_value("/proc/cpuinfo", "flags") + " " + proc_value("/proc/cpuinfo", "Features") + " ";
  std::vector<std::string> present;
  for (const char* name :
       {"sse4_2", "avx2", "fma", "avx512f", "avx512_vnni", "avx512_bf16", "amx_bf16", "asimd", "sve", "bf16"})
    if (flags.find(" " + std::string(name) + " ") != flags.npos) present.emplace_back(name);
  return present;
}

int usable_cores() {
  cpu_set_t cores;
  CPU_ZERO(&cores);
  return sched_getaffinity(0, sizeof cores, &cores) == 0 ? CPU_COUNT(&cores) : 1;
}

double memory_gib() {
  const double gib = 1 << 30, machine = std::atof(proc_value("/proc/meminfo", "MemAvailable").c_str()) * 1024;
  const double limit = number_in("/sys/fs/cgroup/memory.max");
  const double rest = limit - number_in("/sys/fs/cgroup/memory.current");
  return (limit > 0 ? std::min(machine, std::max(rest, 0.0)) : machine) / gib;
}

double write_speed(const std::string& folder) {
  std::string path = folder + "/dactyl-speed-XXXXXX";
  const int file = mkstemp(path.data());
  check(Exit::data, file >= 0, "{}: no file can be written there", folder);
  unlink(path.c_str());
  const std::vector<char> block(1 << 20, 'd');
  const auto start = std::chrono::steady_clock::now();
  bool good = true;
  for (int i = 0; i < 64 && good; ++i)
    good = write(file, block.data(), block.size()) == static_cast<ssize_t>(block.size());
  good = good && fsync(file) == 0;
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  close(file);
  check(Exit::data, good, "{}: 64 MiB cannot be written there; is the disk full?", folder);
  return 64 * 1.048576 / seconds;
}

std::string gnuplot_version() {
  std::FILE* pipe = popen("gnuplot --version 2>/dev/null", "r");
  if (!pipe) return "";
  char line[128] = "";
  const bool any = std::fgets(line, sizeof line, pipe) != nullptr;
  pclose(pipe);
  std::string text = any ? line : "";
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

}  // namespace dactyl
