// Tries what cuDNN proposes: every plan must agree with the definition, the fastest one stays.
#include "kernels/cudnn_search.h"

#ifdef __CUDACC__

#include <cstdio>
#include <limits>
#include <map>

#include "engine/cuda.h"
#include "kernels/conv_check.h"

namespace dactyl {
namespace {

constexpr std::size_t most_workspace = std::size_t{1} << 30;
constexpr int most_tried = 8;          // plans that are run per problem
constexpr double worth_search = 16e6;  // multiply-adds; below, the first plan that agrees is as good as any

void say(const std::string& text) { std::fprintf(stderr, "dactyl: %s\n", text.c_str()); }

// Tensors of the problem's sizes with known numbers, and what the result should be.
class Trial {
 public:
  Trial(const ConvProblem& p, Device device)
      : problem_(p),
        x_({p.x_count()}, p.dtype, device),
        w_({p.w_count()}, p.dtype, device),
        y_({p.y_count()}, p.dtype, device),
        bias_({p.outs}, p.dtype, device),
        data_{x_.raw(), w_.raw(), y_.raw(), bias_.raw()} {
    if (!p.bias) data_.bias = nullptr;
    fill_conv(p, data_, device);
    want_ = conv_samples(p, data_, device);
  }

  // Runs the plan on poisoned memory. False, said why, if its numbers are wrong or it does not run.
  bool agrees(const Plan& plan, void* workspace) {
    Context& context = Context::current();
    fill_conv(problem_, data_, context.device());
    if (!run_plan(plan, context.cudnn(), problem_, data_, workspace)) return false;
    const double error = conv_error(problem_, data_, want_);
    if (error <= conv_tolerance(problem_)) return true;
    say("cuDNN's " + plan.name + " computes the " + to_text(problem_) + " with relative error " + to_text(error) +
        ": not used");
    return false;
  }

  double seconds(const Plan& plan, void* workspace) {
    Context& context = Context::current();
    const auto stream = context.compute().handle();
    double best = std::numeric_limits<double>::infinity();
    for (int i = 0; i < 3; ++i) {
      check(cudaEventRecord(start_.get(), stream), "timing a plan");
      if (!run_plan(plan, context.cudnn(), problem_, data_, workspace)) return best;
      check(cudaEventRecord(end_.get(), stream), "timing a plan");
      check(cudaEventSynchronize(end_.get()), "timing a plan");
      float milliseconds = 0;
      check(cudaEventElapsedTime(&milliseconds, start_.get(), end_.get()), "timing a plan");
      best = std::min(best, milliseconds * 1e-3);
    }
    return best;
  }

 private:
  static std::shared_ptr<CUevent_st> timer() {
    cudaEvent_t event = nullptr;
    check(cudaEventCreate(&event), "creating an event");
    return {event, [](cudaEvent_t e) { cudaEventDestroy(e); }};
  }

  const ConvProblem& problem_;
  Tensor x_, w_, y_, bias_, want_;
  ConvData data_;
  std::shared_ptr<CUevent_st> start_ = timer(), end_ = timer();
};

std::optional<Plan> fastest(const ConvProblem& problem, std::vector<EngineConfig> configs, cudnnHandle_t handle,
                            Device device) {
  Trial trial(problem, device);
  std::optional<Plan> best;
  double best_seconds = std::numeric_limits<double>::infinity();
  int tried = 0;
  for (EngineConfig& config : configs) {
    if (tried >= most_tried && best) break;
    std::optional<Plan> plan = build_plan(config, handle);
    if (!plan || plan->workspace > most_workspace) continue;
    const Tensor workspace({static_cast<i64>(plan->workspace) + 1}, DType::u8, device);
    ++tried;
    if (!trial.agrees(*plan, workspace.raw())) continue;
    if (problem.products() < worth_search) return plan;
    const double seconds = trial.seconds(*plan, workspace.raw());
    if (best && seconds >= best_seconds) continue;
    best = std::move(plan);
    best_seconds = seconds;
  }
  return best;
}

// The handle plans are built with. They outlive contexts, so it does too: one per thread and GPU, never destroyed.
cudnnHandle_t planning_handle(Device device) {
  thread_local std::map<int, cudnnHandle_t> handles;
  cudnnHandle_t& handle = handles[device.index];
  if (!handle) check(cudnnCreate(&handle), "starting");
  return handle;
}

std::optional<Plan> search(const ConvProblem& problem) {
  Context& context = Context::current();
  cudaStreamCaptureStatus status = cudaStreamCaptureStatusNone;
  check(cudaStreamIsCapturing(context.compute().handle(), &status), "asking for a capture");
  check(status == cudaStreamCaptureStatusNone,
        "cuDNN: a {} is first seen while a graph is captured; run it once before", problem);
  std::optional<Plan> plan;
  try {
    const cudnnHandle_t handle = planning_handle(context.device());
    const ConvGraph graph = conv_graph(problem, handle);
    plan = fastest(problem, engine_configs(problem, graph), handle, context.device());
  } catch (const Error& error) {
    if (error.exit() != Exit::failure) throw;  // out of memory, device lost
    say(error.what());
  }
  if (!plan) say("cuDNN has no plan for the " + to_text(problem));
  return plan;
}

}  // namespace

const Plan* conv_plan(const ConvProblem& problem) {
  thread_local std::map<std::pair<int, ConvProblem>, std::optional<Plan>> plans;  // by GPU and problem
  const std::pair key{Context::current().device().index, problem};
  auto found = plans.find(key);
  if (found == plans.end()) found = plans.emplace(key, search(problem)).first;
  return found->second ? &*found->second : nullptr;
}

}  // namespace dactyl
#endif
