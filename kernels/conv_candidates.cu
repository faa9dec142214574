// Every way must agree with the definition, the fastest one stays.
#include "kernels/conv_candidates.h"

#ifdef __CUDACC__

#include <chrono>
#include <cstdio>
#include <limits>
#include <map>

#include "kernels/conv_columns.h"
#include "kernels/conv_search.h"
#include "kernels/conv_trial.h"
#include "kernels/plans.h"

namespace dactyl {
namespace {

constexpr std::size_t most_workspace = std::size_t{1} << 30;
constexpr double worth_search = 16e6;             // multiply-adds; below, the first way that agrees is as good as any
constexpr double large = 1e9;                     // multiply-adds; from here on a better plan is felt
constexpr int always_tried = 8, most_tried = 40;  // plans that are run per problem, per large problem if time allows
constexpr double most_seconds = 1;                // for the plans beyond always_tried

void say(const std::string& text) { std::fprintf(stderr, "dactyl: %s\n", text.c_str()); }

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

// The handle plans are built with. They outlive contexts, so it does too: one per thread and GPU, never destroyed.
cudnnHandle_t planning_handle(Device device) {
  thread_local std::map<int, cudnnHandle_t> handles;
  cudnnHandle_t& handle = handles[device.index];
  if (!handle) check(cudnnCreate(&handle), "starting");
  return handle;
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
    for (const char* name : {"stem", "stem by warps"})
      if (is_large()) attempt([&] { return stem_way(problem_, name); });
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
    tried(to_text(problem_), name, seconds);
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
    const bool late = problem_.products() < large || now() - start_ > most_seconds;
    return tried_ >= most_tried || (tried_ >= always_tried && late);
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

}  // namespace

FoundWay fastest_way(const ConvProblem& problem) {
  Search search(problem);
  search.run();
  std::string compiled = search.compiled();
  return {search.take_best(), search.seconds(), std::move(compiled), search.complete()};
}

OwnedWay way_named(const ConvProblem& problem, const std::string& name, const std::string& compiled) {
  if (OwnedWay stem = stem_way(problem, name)) return stem;
  if (name == "columns") return columns_fit(problem) ? columns_way() : nullptr;
  if (name == "apart") {
    const ConvWay* plain = problem.bias || problem.relu ? conv_way(without_epilogue(problem)) : nullptr;
    return plain ? apart_way(*plain) : nullptr;
  }
  for (const Packing& packing : packings(problem))
    if (to_text(packing) == name)
      if (const ConvWay* inner = conv_way(packed_problem(problem, packing))) return packed_way(packing, *inner);
  const cudnnHandle_t handle = planning_handle(Context::current().device());
  if (!compiled.empty())
    if (std::optional<Plan> plan = plan_from_json(compiled, name, handle)) return cudnn_way(std::move(*plan));
  return asked(problem, [&](ConvGraph& graph) -> OwnedWay {
    std::optional<EngineConfig> config = engine_config_named(name, graph);
    std::optional<Plan> plan = config ? build_plan(*config, handle) : std::optional<Plan>();
    return plan && plan->workspace <= most_workspace ? cudnn_way(std::move(*plan)) : nullptr;
  });
}

}  // namespace dactyl
#endif
