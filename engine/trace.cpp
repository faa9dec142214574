// Names of the work in progress, and where the time went.
#include "engine/trace.h"

#include <algorithm>
#include <chrono>
#include <map>

#include "engine/context.h"
#if __has_include( \
    <nvtx3/nvToolsExt.h>)  // comes with the CUDA toolkit; costs a load and a branch where no profiler listens
#include <nvtx3/nvToolsExt.h>
#endif

namespace dactyl {
namespace {

#if __has_include(<nvtx3/nvToolsExt.h>)
void push_for_profiler(const std::string& name) { nvtxRangePushA(name.c_str()); }
void pop_for_profiler() { nvtxRangePop(); }
#else
void push_for_profiler(const std::string&) {}
void pop_for_profiler() {}
#endif

thread_local std::vector<std::string> names;
thread_local bool timing = false;
thread_local std::map<std::string, Timing> table;

double now() {
  Context::current().compute().synchronize();
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace

Range::Range(const std::string& name) {
  names.push_back(name);
  push_for_profiler(name);
  if (timing) start_ = now();
}

Range::~Range() {
  if (timing) {
    Timing& row = table.try_emplace(path(), Timing{path(), 0, 0}).first->second;
    ++row.calls;
    row.seconds += now() - start_;
  }
  pop_for_profiler();
  names.pop_back();
}

std::string Range::path() {
  std::string joined;
  for (const std::string& name : names) joined += (joined.empty() ? "" : "/") + name;
  return joined;
}

void trace_timing(bool on) {
  timing = on;
  table.clear();
}

std::vector<Timing> trace_table() {
  std::vector<Timing> rows;
  for (const auto& [name, row] : table) rows.push_back(row);
  std::sort(rows.begin(), rows.end(), [](const Timing& a, const Timing& b) { return a.seconds > b.seconds; });
  return rows;
}

}  // namespace dactyl
