// Tries what there is for a convolution: every way must agree with the definition, the fastest one stays.
#include "kernels/conv_search.h"

#ifdef __CUDACC__

#include <chrono>
#include <cstdio>
#include <limits>
#include <map>

#include "engine/cuda.h"
#include "kernels/conv_columns.h"
#include "kernels/conv_trial.h"
#include "kernels/plan_cache.h"

namespace dactyl {
namespace {

constexpr std::size_t most_workspace = std::size_t{1} << 30;
constexpr double worth_search = 16e6;  // multiply-adds; below, the first way that agrees is as good as any
constexpr double large = 1e9;          // multiply-adds; from here on a better plan is felt
constexpr int always_tried = 8, most_tried = 16, most_tried_large = 40;  // plans that are run, if time allows
constexpr double most_seconds = 1;                                       // for the plans beyond always_tried

void say(const std::string& text) { std::fprintf(stderr, "dactyl: %s\n", text.c_str()); }

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

// The handle plans are built with. They outlive contexts, so it does too: one per thread and GPU, never destroyed.
cudnnHandle_t planning_handle(Device device) {
  thread_local std::map<int, cudnnHandle_t> handles;
  cudnnHandle_t& handle = handles[device.index];
  if (!handle) check(cudnnCreate(&handle), "starting");
  return handle;
}

std::string machine_of(Device device) {
  cudaDeviceProp properties{};
  int driver = 0;
  check(cudaGetDeviceProperties(&properties, device.index), "asking for a GPU's name");
  check(cudaDriverGetVersion(&driver), "asking for the driver's version");
  return std::string(properties.name) + ", " + std::to_string(properties.multiProcessorCount) + " SMs, CUDA driver " +
         std::to_string(driver) + ", cuDNN " + std::to_string(cudnnGetVersion());
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

// What `ask` makes of cuDNN's graph for a problem; nothing, said why, where cuDNN refuses the graph itself.
template <class Ask>
auto asked(const ConvProblem& problem, const Ask& ask) -> decltype(ask(std::declval<ConvGraph&>())) {
  try {
    ConvGraph graph = conv_graph(problem, planning_handle(Context::current().device()));
    return ask(graph);
  } catch (const Error& error) {
    if (error.exit() != Exit::failure) throw;  // out of memory, device lost
    say(error.what());
  }
  return {};
}

class Search {
 public:
  explicit Search(const ConvProblem& problem) : problem_(problem), trial_(problem) {}

  void run() {
    asked(problem_, [&](ConvGraph& graph) { return plans(engine_configs(problem_, graph)); });
    if (is_large()) stems();
    if (!best_ && (problem_.bias || problem_.relu)) apart();
    if ((!best_ || is_large()) && columns_fit(problem_)) attempt([&] { return columns_way(); });
  }
  OwnedWay take_best() { return std::move(best_); }

  // What the best way was compiled to, if a way built from it is right as well.
  std::string compiled() {
    const std::string text = best_ ? best_->compiled() : "";
    const cudnnHandle_t handle = planning_handle(Context::current().device());
    const auto agrees = [&] {
      std::optional<Plan> plan = text.empty() ? std::nullopt : plan_from_json(text, best_->name(), handle);
      if (!plan || plan->workspace > most_workspace) return false;
      const OwnedWay again = cudnn_way(std::move(*plan));
      return trial_.agrees("the kept form of " + again->name(),
                           [&](const ConvTensors& t) { return again->run(problem_, t); });
    };
    return bearable(agrees) ? text : "";
  }
  double seconds() const { return best_seconds_; }
  bool complete() const { return complete_; }  // nothing was left out for lack of memory

 private:
  bool is_large() const { return problem_.products() >= worth_search; }

  // Whether this way is now the best.
  bool take(const std::string& name, const ConvTrial::Run& run) {
    if (!trial_.agrees(name, run)) return false;
    const double seconds = trial_.seconds(run, best_seconds_);
    if (seconds >= best_seconds_) return false;
    best_seconds_ = seconds;
    return true;
  }

  // A plan in a workspace of its own: one that loses must not leave a large one behind.
  bool take(const Plan& plan) {
    if (plan.workspace > most_workspace) return false;
    const Tensor workspace({static_cast<i64>(plan.workspace) + 1}, DType::u8, Context::current().device());
    ++tried_;
    return take("cuDNN's " + plan.name, [&](const ConvTensors& t) {
      return run_plan(plan, Context::current().cudnn(), problem_, t.data(), workspace.raw());
    });
  }

  bool enough() const {
    if (!best_) return false;
    if (!is_large()) return true;
    const int most = problem_.products() < large ? most_tried : most_tried_large;
    return tried_ >= most || (tried_ >= always_tried && now() - start_ > most_seconds);
  }

  bool plans(std::vector<EngineConfig> configs) {
    const cudnnHandle_t handle = planning_handle(Context::current().device());
    for (EngineConfig& config : configs) {
      if (enough()) break;
      std::optional<Plan> plan = build_plan(config, handle);
      if (plan && bearable([&] { return take(*plan); })) best_ = cudnn_way(std::move(*plan));
    }
    return true;
  }

  template <class Make>
  void attempt(const Make& make) {
    OwnedWay way;
    const auto run = [&](const ConvTensors& t) { return way->run(problem_, t); };
    if (bearable([&] { return (way = make()) && take("our '" + way->name() + "'", run); })) best_ = std::move(way);
  }

  // One way that fails, or finds no memory beside the net, must not end the search.
  template <class Try>
  bool bearable(const Try& attempt) {
    try {
      return attempt();
    } catch (const Error& error) {
      if (error.exit() == Exit::memory)
        complete_ = false;
      else if (error.exit() == Exit::failure)
        say(error.what());
      else
        throw;
    }
    return false;
  }

  void stems() {
    for (const Packing& packing : packings(problem_))
      attempt([&] {
        const ConvWay* inner = conv_way(packed_problem(problem_, packing));
        return inner ? packed_way(packing, *inner) : nullptr;
      });
  }

  void apart() {
    attempt([&] {
      const ConvWay* plain = conv_way(without_epilogue(problem_));
      return plain ? apart_way(*plain) : nullptr;
    });
  }

  const ConvProblem& problem_;
  ConvTrial trial_;
  OwnedWay best_;
  double best_seconds_ = std::numeric_limits<double>::infinity(), start_ = now();
  int tried_ = 0;
  bool complete_ = true;
};

// The way a file names; null if it cannot be built here after all.
OwnedWay rebuilt(const ConvProblem& problem, const std::string& name, PlanCache& cache) {
  if (name == "columns") return columns_fit(problem) ? columns_way() : nullptr;
  if (name == "apart") {
    const ConvWay* plain = problem.bias || problem.relu ? conv_way(without_epilogue(problem)) : nullptr;
    return plain ? apart_way(*plain) : nullptr;
  }
  for (const Packing& packing : packings(problem))
    if (to_text(packing) == name)
      if (const ConvWay* inner = conv_way(packed_problem(problem, packing))) return packed_way(packing, *inner);
  const cudnnHandle_t handle = planning_handle(Context::current().device());
  if (const std::string compiled = cache.compiled(plan_key(problem)); !compiled.empty())
    if (std::optional<Plan> plan = plan_from_json(compiled, name, handle)) return cudnn_way(std::move(*plan));
  return asked(problem, [&](ConvGraph& graph) -> OwnedWay {
    std::optional<EngineConfig> config = engine_config_named(name, graph);
    std::optional<Plan> plan = config ? build_plan(*config, handle) : std::optional<Plan>();
    return plan && plan->workspace <= most_workspace ? cudnn_way(std::move(*plan)) : nullptr;
  });
}

OwnedWay searched(const ConvProblem& problem, PlanCache& cache) {
  Search search(problem);
  search.run();
  const std::string compiled = search.compiled();
  OwnedWay way = search.take_best();
  if (!way) say("no library computes the " + to_text(problem) + ": plain loops do");
  if (search.complete()) {
    cache.keep_compiled(plan_key(problem), compiled);
    cache.add(plan_key(problem), {way ? way->name() : "none", way ? search.seconds() : 0});
  }
  return way;
}

OwnedWay settle(const ConvProblem& problem) {
  thread_local int depth = 0;  // ways may rest on others, which are settled meanwhile and not told of
  struct Deeper {
    Deeper() { ++depth; }
    ~Deeper() { --depth; }
  };
  const double start = now();
  PlanCache& cache = cache_of(Context::current().device());
  const std::optional<Choice> known = cache.find(plan_key(problem));
  bool remembered = known && known->way == "none";
  OwnedWay way;
  {
    const Deeper deeper;
    if (known && !remembered) way = rebuilt(problem, known->way, cache);
    if (known && !remembered && !way) say("'" + known->way + "' is no longer there for the " + to_text(problem));
    remembered |= way != nullptr;
    if (!remembered) way = searched(problem, cache);
  }
  if (depth == 0) settled(to_text(problem), !remembered, !way, remembered ? 0 : now() - start);
  return way;
}

}  // namespace

const ConvWay* conv_way(const ConvProblem& problem) {
  thread_local std::map<std::pair<int, ConvProblem>, OwnedWay> ways;  // by GPU and problem
  Context& context = Context::current();
  const std::pair key{context.device().index, problem};
  if (const auto found = ways.find(key); found != ways.end()) return found->second.get();
  cudaStreamCaptureStatus status = cudaStreamCaptureStatusNone;
  check(cudaStreamIsCapturing(context.compute().handle(), &status), "asking for a capture");
  check(status == cudaStreamCaptureStatusNone,
        "cuDNN: a {} is first seen while a graph is captured; run it once before", problem);
  return ways.emplace(key, settle(problem)).first->second.get();
}

}  // namespace dactyl
#endif
