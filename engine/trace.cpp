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
thread_local OperationTrace* operation_trace = nullptr;
thread_local std::string sizes;

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

OperationTrace::OperationTrace() {
  check(operation_trace == nullptr, "trace: another one is alive in this thread");
  operation_trace = this;
  restart();
}

OperationTrace::~OperationTrace() { operation_trace = nullptr; }

void OperationTrace::restart() {
  operations_.clear();
  stamps_.clear();
  sizes.clear();
}

// Not in restart(): in a capture the first stamp belongs to the graph like the others.
void trace_begin() {
  if (operation_trace && operation_trace->stamps_.empty()) operation_trace->stamps_.push_back(Stamp::now());
}

std::vector<double> OperationTrace::seconds() const {
  Context::current().compute().synchronize();
  std::vector<double> all;
  for (std::size_t i = 0; i < operations_.size(); ++i) all.push_back(stamps_[i + 1].since(stamps_[i]));
  return all;
}

bool tracing() { return operation_trace != nullptr; }

void trace_what(std::string what) { sizes = std::move(what); }

Operation trace_done(const char* name) {
  if (!operation_trace) return {};
  Operation done{names.empty() ? "" : names.back(), name, sizes};
  sizes.clear();
  trace_done(done);
  return done;
}

void trace_done(const Operation& operation) {
  if (!operation_trace) return;
  trace_begin();
  operation_trace->stamps_.push_back(Stamp::now());
  operation_trace->operations_.push_back(operation);
}

}  // namespace dactyl
