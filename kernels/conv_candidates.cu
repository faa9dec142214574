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
#include "kernels/fast/few_rows.h"
#include "kernels/hopper/few_places.h"
#include "kernels/plans.h"

namespace dactyl {
namespace {

constexpr std::size_t most_workspace = std::size_t{1} << 30;
constexpr double medium = 16e6, large = 1e9;      // multiply-adds; from `large` on a better plan is felt
constexpr int always_tried = 8, most_tried = 40;  // plans of cuDNN, of a large problem if time allows
constexpr std::size_t most_tiles = 3;             // of the implicit product, of each kind
constexpr std::size_t most_small_tiles = 4;       // of few places
// Seconds: short_time for all plans of a problem below `medium`; long_time for the plans beyond always_tried of one
// above, short_time once the process has searched for longer than its patience.
constexpr double short_time = 0.1, long_time = 1, patience = 60;

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

// A way that rests on the one for another problem; null if there is none for that.
OwnedWay resting_on(const ConvProblem& other, OwnedWay (*way)(const ConvWay&)) {
  const ConvWay* found = conv_way(other);
  return found ? way(*found) : nullptr;
}

class Search {
 public:
  explicit Search(const ConvProblem& problem) : problem_(problem), trial_(problem) {}

  void run() {
    const std::optional<MatrixProduct> product = as_product(problem_);
    const bool slice = problem_.is_slice();
    if (product) bearable([&] { return products(*product); });
    if (problem_.adds) return attempt([&] { return resting_on(without_sum(problem_), added_way); });
    if (slice) attempt([&] { return resting_on(dense_problem(problem_), placed_way); });
    if (!best_ || !problem_.is_linear())
      asked(problem_, [&](ConvGraph& graph) { return plans(engine_configs(problem_, graph)); });
    if (is_medium() && !slice) stems();
    if (is_medium()) implicit();
    few_places();
    if (!best_ && !slice && (problem_.bias || problem_.relu))
      attempt([&] { return resting_on(without_epilogue(problem_), apart_way); });
    if ((!best_ || is_medium()) && !slice && !product && columns_fit(problem_)) attempt([&] { return columns_way(); });
  }
  OwnedWay take_best() { return std::move(best_); }

  // What the best way was compiled to, if a way built from it is right as well.
  std::string compiled() {
    const std::string text = best_ ? best_->compiled() : "";
    if (text.empty()) return "";
    const cudnnHandle_t handle = planning_handle(Context::current().device());
    const auto agrees = [&] {
      std::optional<Plan> plan = plan_from_json(text, best_->name(), handle);
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
  bool is_medium() const { return problem_.products() >= medium; }

  // Whether this way is now the best.
  bool take(const std::string& name, const ConvTrial::Run& run) {
    if (!trial_.agrees(name, run)) return false;
    const double seconds = trial_.seconds(run, best_seconds_);
    timed(to_text(problem_), name, seconds);
    if (seconds >= best_seconds_) return false;
    best_seconds_ = seconds;
    return true;
  }

  // A plan in a workspace of its own: one that loses must not leave a large one behind.
  bool take(const Plan& plan) {
    if (plan.workspace > most_workspace) return false;
    const Tensor workspace({static_cast<i64>(plan.workspace) + 1}, DType::u8, Context::current().device());
    ++tried_;
    return take(plan.name, [&](const ConvTensors& t) {
      return run_plan(plan, Context::current().cudnn(), problem_, t.data(), workspace.raw());
    });
  }

  bool enough() const {
    if (!best_) return false;
    const bool late = now() - start_ > time_;
    if (!is_medium()) return late || tried_ >= always_tried;
    const bool wide = problem_.products() >= large && !problem_.is_slice();  // whose dense problem had a search already
    return tried_ >= (wide && !late ? most_tried : always_tried);
  }

  bool products(const MatrixProduct& product) {
    if (fast::few_rows_fit(problem_)) attempt([] { return few_rows_way(); });
    const auto described = std::make_shared<const LtProduct>(product);
    for (LtAlgorithm& a : described->algorithms()) attempt([&] { return gemm_way(described, std::move(a)); });
    return true;
  }

  bool plans(std::vector<EngineConfig> configs) {
    const cudnnHandle_t handle = planning_handle(Context::current().device());
    start_ = now();
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
    if (bearable([&] { return (way = make()) && take(way->name(), run); })) best_ = std::move(way);
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
    attempt([&] { return stem_way(problem_); });
  }

  void implicit() {
    std::size_t tried[2][2] = {};  // by rows or not, in parts or not
    for (const hopper::ImplicitTile& tile : implicit_tiles(problem_))
      if (tried[tile.rows][tile.parts > 1]++ < most_tiles) attempt([&] { return implicit_way(tile); });
    std::size_t of_weights = 0;
    for (const hopper::WeightsTile& tile : implicit_weights_tiles(problem_))
      if (of_weights++ < most_tiles) attempt([&] { return implicit_weights_way(tile); });
  }

  void few_places() {
    std::size_t tried = 0;
    for (const hopper::FewPlacesTile& tile : hopper::few_places_tiles(problem_))
      if (tried++ < most_small_tiles) attempt([&] { return few_places_way(tile); });
  }

  const ConvProblem& problem_;
  ConvTrial trial_;
  OwnedWay best_;
  double best_seconds_ = std::numeric_limits<double>::infinity(), start_ = 0;
  double time_ = is_medium() && plan_counts().seconds < patience ? long_time : short_time;
  int tried_ = 0;
  bool complete_ = true;
};

OwnedWay gemm_way_named(const ConvProblem& problem, const std::string& name) {
  const std::optional<MatrixProduct> product = as_product(problem);
  if (!product) return nullptr;
  const auto described = std::make_shared<const LtProduct>(*product);
  std::optional<LtAlgorithm> algorithm = described->named(name);
  return algorithm ? gemm_way(described, std::move(*algorithm)) : nullptr;
}

}  // namespace

FoundWay fastest_way(const ConvProblem& problem) {
  Search search(problem);
  search.run();
  std::string compiled = search.compiled();
  return {search.take_best(), search.seconds(), std::move(compiled), search.complete()};
}

OwnedWay way_named(const ConvProblem& problem, const std::string& name, const std::string& compiled) {
  if (name == "stem") return stem_way(problem);
  if (name.starts_with("implicit ") || name.starts_with("few places ")) return tiled_way_named(problem, name);
  if (name == "columns") return columns_fit(problem) && !problem.is_slice() ? columns_way() : nullptr;
  if (name == "placed") return problem.is_slice() ? resting_on(dense_problem(problem), placed_way) : nullptr;
  if (name == "added") return problem.adds ? resting_on(without_sum(problem), added_way) : nullptr;
  if (name == "few rows") return fast::few_rows_fit(problem) ? few_rows_way() : nullptr;
  if (read_algorithm_name(name)) return gemm_way_named(problem, name);
  if (name == "apart") {
    const bool fits = (problem.bias || problem.relu) && !problem.is_slice();
    return fits ? resting_on(without_epilogue(problem), apart_way) : nullptr;
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
