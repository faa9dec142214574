// cuDNN's way of each ladder's operation, for the last line: what it is without a search of ours.
#include "benchmarks/ladder/ladder.h"

#ifdef __CUDACC__
#include "kernels/cudnn_plan.h"

namespace dactyl {
namespace {

// The first engine that cuDNN's heuristics name, built when it first runs.
struct ConvPlan {
  ConvProblem problem;
  ConvData data;
  std::optional<ConvGraph> graph;
  std::optional<Plan> plan;

  void run() {
    Context& context = Context::current();
    if (!plan) build(context.cudnn());
    const Tensor workspace({static_cast<i64>(plan->workspace)}, DType::u8, context.device());
    check(run_plan(*plan, context.cudnn(), problem, data, workspace.raw()), "cuDNN's {} refuses {}", plan->name, problem);
  }
  void build(cudnnHandle_t handle) {
    graph.emplace(conv_graph(problem, handle));
    for (EngineConfig& config : engine_configs(problem, *graph))
      if ((plan = build_plan(config, handle))) return;
    check(false, "cuDNN has no engine for {}", problem);
  }
};

// The descriptors of the older interface, which has what the newer one lacks for these operations.
template <class Handle, cudnnStatus_t (*make)(Handle*), cudnnStatus_t (*destroy)(Handle)>
class Old {
 public:
  Old() { check(make(&handle_), "creating a descriptor"); }
  ~Old() { destroy(handle_); }
  Old(const Old&) = delete;
  Handle get() const { return handle_; }

 private:
  Handle handle_ = nullptr;
};
using OldTensor = Old<cudnnTensorDescriptor_t, cudnnCreateTensorDescriptor, cudnnDestroyTensorDescriptor>;
using OldPool = Old<cudnnPoolingDescriptor_t, cudnnCreatePoolingDescriptor, cudnnDestroyPoolingDescriptor>;
using OldActivation =
    Old<cudnnActivationDescriptor_t, cudnnCreateActivationDescriptor, cudnnDestroyActivationDescriptor>;

constexpr float one = 1, zero = 0;

struct PoolCall {
  Tensor x, y;
  OldTensor both;  // x and y have one shape
  OldPool pool;

  PoolCall(const Tensor& from, const Tensor& to) : x(from), y(to) {
    const auto extent = [&](int i) { return static_cast<int>(x.shape()[i]); };
    const int n = extent(0), d = extent(1), h = extent(2), w = extent(3), c = extent(4);
    const int extents[] = {n, c, d, h, w}, strides[] = {d * h * w * c, 1, h * w * c, w * c, c};
    check(cudnnSetTensorNdDescriptor(both.get(), CUDNN_DATA_BFLOAT16, 5, extents, strides), "describing a clip");
    const int three[] = {3, 3, 3}, ones[] = {1, 1, 1};
    check(cudnnSetPoolingNdDescriptor(pool.get(), CUDNN_POOLING_MAX, CUDNN_NOT_PROPAGATE_NAN, 3, three, ones, ones),
          "describing a window");
  }
  void run() const {
    check(cudnnPoolingForward(Context::current().cudnn(), pool.get(), &one, both.get(), x.raw(), &zero, both.get(),
                              y.raw()),
          "max-pooling of clips with channels last");
  }
};

// Statistics over all rows: a clip's frames are as good as more images.
struct NormCall {
  static constexpr auto mode = CUDNN_BATCHNORM_SPATIAL_PERSISTENT;
  static constexpr auto ops = CUDNN_BATCHNORM_OPS_BN_ACTIVATION;
  LadderInputs in;
  Tensor y, kept_mean, kept_inverse, reserve;
  OldTensor both, per_channel;
  OldActivation relu;
  std::size_t workspace = 0;

  NormCall(const LadderInputs& inputs, const Tensor& to)
      : in(inputs), y(to), kept_mean(in.mean.clone()), kept_inverse(in.mean.clone()) {
    const Shape& s = in.x.shape();
    const auto extent = [](i64 n) { return static_cast<int>(n); };
    check(cudnnSetTensor4dDescriptor(both.get(), CUDNN_TENSOR_NHWC, CUDNN_DATA_BFLOAT16, extent(s[0] * s[1]),
                                     extent(s[4]), extent(s[2]), extent(s[3])),
          "describing images");
    check(cudnnDeriveBNTensorDescriptor(per_channel.get(), both.get(), mode), "describing channels");
    check(cudnnSetActivationDescriptor(relu.get(), CUDNN_ACTIVATION_RELU, CUDNN_PROPAGATE_NAN, 0), "describing ReLU");
    cudnnHandle_t handle = Context::current().cudnn();
    std::size_t bytes = 0;
    check(cudnnGetBatchNormalizationForwardTrainingExWorkspaceSize(handle, mode, ops, both.get(), nullptr, both.get(),
                                                                   per_channel.get(), relu.get(), &workspace),
          "normalisation of bf16 with channels last and ReLU");
    check(cudnnGetBatchNormalizationTrainingExReserveSpaceSize(handle, mode, ops, relu.get(), both.get(), &bytes),
          "normalisation of bf16 with channels last and ReLU");
    reserve = Tensor({static_cast<i64>(bytes) + 1}, DType::u8);
  }
  void run() const {
    Context& context = Context::current();
    const Tensor scratch({static_cast<i64>(workspace)}, DType::u8, context.device());
    check(cudnnBatchNormalizationForwardTrainingEx(
              context.cudnn(), mode, ops, &one, &zero, both.get(), in.x.raw(), nullptr, nullptr, both.get(), y.raw(),
              per_channel.get(), in.gamma.raw(), in.beta.raw(), 0.1, in.mean.raw(), in.var.raw(), 1e-5, kept_mean.raw(),
              kept_inverse.raw(), relu.get(), scratch.raw(), workspace, reserve.raw(),
              static_cast<std::size_t>(reserve.bytes()) - 1),
          "normalisation of bf16 with channels last and ReLU");
  }
};

// Made when it first runs: what cuDNN refuses is then said where it is asked for.
template <class Call, class... A>
std::function<void()> later(const A&... arguments) {
  auto call = std::make_shared<std::unique_ptr<Call>>();
  return [=] {
    if (!*call) *call = std::make_unique<Call>(arguments...);
    (*call)->run();
  };
}

}  // namespace

ladder::Rung cudnn_rung(const Descriptor& layer, const LadderInputs& in, const Tensor& y) {
  ladder::Rung rung{.name = "cuDNN", .change = "the library, without a search", .other = true};
  if (layer.kind == Descriptor::Kind::conv) {
    const ConvProblem problem = conv_problem(Pass::forward, in.x, in.w, y, {.window = layer.window});
    auto plan = std::make_shared<ConvPlan>(ConvPlan{problem, {in.x.raw(), in.w.raw(), y.raw(), nullptr}, {}, {}});
    rung.run = [plan] { plan->run(); };
  } else if (layer.kind == Descriptor::Kind::max_pool) {
    rung.run = later<PoolCall>(in.x, y);
  } else {
    rung.run = later<NormCall>(in, y);
  }
  return rung;
}

}  // namespace dactyl
#else
namespace dactyl {
ladder::Rung cudnn_rung(const Descriptor&, const LadderInputs&, const Tensor&) { return {}; }
}  // namespace dactyl
#endif
