// Looks a convolution's way up: in the thread, in the file, else by trying.
#include "kernels/conv_search.h"

#ifdef __CUDACC__

#include <chrono>
#include <cstdio>
#include <map>

#include "engine/cuda.h"
#include "kernels/conv_candidates.h"
#include "kernels/plan_cache.h"

namespace dactyl {
namespace {

void say(const std::string& text) { std::fprintf(stderr, "dactyl: %s\n", text.c_str()); }

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

std::string machine_of(Device device) {
  cudaDeviceProp properties{};
  int driver = 0;
  check(cudaGetDeviceProperties(&properties, device.index), "asking for a GPU's name");
  check(cudaDriverGetVersion(&driver), "asking for the driver's version");
  return std::string(properties.name) + ", " + std::to_string(properties.multiProcessorCount) + " SMs, CUDA driver " +
         std::to_string(driver) + ", cuDNN " + std::to_string(cudnnGetVersion()) + ", cuBLASLt " +
         std::to_string(cublaslt_version());
}

// The file of this GPU and the folder that is now asked for; shared by all threads.
PlanCache& cache_of(Device device) {
  static std::mutex mutex;
  static std::map<std::pair<std::string, int>, std::unique_ptr<PlanCache>> caches;
  const std::lock_guard guard(mutex);
  const std::string folder = plan_folder();
  auto& cache = caches[{folder, device.index}];
  if (!cache) cache = std::make_unique<PlanCache>(folder, machine_of(device));
  return *cache;
}

// A search leaves the pool as small as it was: its workspaces are of sizes that nobody asks for again.
OwnedWay searched(const ConvProblem& problem, PlanCache& cache) {
  FoundWay found = fastest_way(problem);
  Context::current().pool()->trim();
  Context::current().pool()->reset_peak();
  if (!found.way) say("no library computes the " + to_text(problem) + ": plain loops do");
  if (found.complete) {
    cache.keep_compiled(plan_key(problem), found.compiled);
    cache.add(plan_key(problem), {found.way ? found.way->name() : "none", found.way ? found.seconds : 0});
  }
  return std::move(found.way);
}

thread_local int depth = 0;  // of parts of parts of a problem

OwnedWay settle(const ConvProblem& problem) {
  const double start = now();
  PlanCache& cache = cache_of(Context::current().device());
  const std::optional<Choice> known = cache.find(plan_key(problem));
  bool remembered = known && known->way == "none";
  OwnedWay way;
  {
    const PartsOfAProblem parts;  // ways may rest on others, which are settled meanwhile
    if (known && !remembered) way = way_named(problem, known->way, cache.compiled(plan_key(problem)));
    if (known && !remembered && !way) say("'" + known->way + "' is no longer there for the " + to_text(problem));
    remembered |= way != nullptr;
    if (!remembered) way = searched(problem, cache);
  }
  if (depth == 0) settled(to_text(problem), !remembered, way ? way->name() : "none", remembered ? 0 : now() - start);
  return way;
}

}  // namespace

PartsOfAProblem::PartsOfAProblem() { ++depth; }
PartsOfAProblem::~PartsOfAProblem() { --depth; }

const ConvWay* conv_way(const ConvProblem& problem) {
  thread_local std::map<std::pair<int, ConvProblem>, OwnedWay> ways;  // by GPU and problem
  Context& context = Context::current();
  const std::pair key{context.device().index, problem};
  if (const auto found = ways.find(key); found != ways.end()) return found->second.get();
  cudaStreamCaptureStatus status = cudaStreamCaptureStatusNone;
  check(cudaStreamIsCapturing(context.compute().handle(), &status), "asking for a capture");
  check(status == cudaStreamCaptureStatusNone, "conv: a {} is first seen while a graph is captured; run it once before",
        problem);
  return ways.emplace(key, settle(problem)).first->second.get();
}

}  // namespace dactyl
#endif
