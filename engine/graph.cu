// Capturing and replaying a step.
#include "engine/graph.h"

#include "engine/cuda.h"
#include "engine/graph_fills.h"

namespace dactyl {

struct Graph::Handle {
#ifdef __CUDACC__
  cudaGraphExec_t exec = nullptr;
  ~Handle() {
    if (exec) cudaGraphExecDestroy(exec);
  }
#endif
};

namespace {
thread_local bool is_rehearsal = false;

struct Rehearsal {
  explicit Rehearsal(bool first) : outer(is_rehearsal) { is_rehearsal = first; }
  ~Rehearsal() { is_rehearsal = outer; }
  bool outer;
};

// While alive, the context hands out the graph's own memory.
struct PoolSwap {
  std::shared_ptr<Pool>& place;
  std::shared_ptr<Pool> outer;
  PoolSwap(std::shared_ptr<Pool>& p, const std::shared_ptr<Pool>& mine) : place(p), outer(p) { place = mine; }
  ~PoolSwap() { place = outer; }
};
}  // namespace

Graph::Graph(std::function<void()> step) : step_(std::move(step)) {}

Graph::~Graph() {
  if (handle_) Context::current().compute().synchronize();
}

bool Graph::captured() const { return handle_ != nullptr; }

bool Graph::rehearsing() { return is_rehearsal; }

void Graph::run() {
  Context& context = Context::current();
  if (!context.device().is_cuda()) return step_();
  if (!pool_) pool_ = std::make_shared<Pool>(context.device());
  ++calls_;
  if (calls_ == 2 && why_eager_.empty()) capture();
#ifdef __CUDACC__
  if (handle_) {
    touch_everything();
    return check(cudaGraphLaunch(handle_->exec, context.compute().handle()), "launching the step's graph");
  }
#endif
  const PoolSwap swap(context.pool_, pool_);
  const Rehearsal rehearsal(calls_ == 1);
  step_();
}

void Graph::capture() {
#ifdef __CUDACC__
  Context& context = Context::current();
  cudaStream_t stream = context.compute().handle();
  const PoolSwap swap(context.pool_, pool_);
  cudaGraph_t graph = nullptr;
  auto handle = std::make_unique<Handle>();
  try {
    check(cudaStreamBeginCapture(stream, cudaStreamCaptureModeRelaxed), "starting a capture");
    step_();
    check(cudaStreamEndCapture(stream, &graph), "ending a capture");
    fill_by_kernels(graph);
    check(cudaGraphInstantiate(&handle->exec, graph, 0), "instantiating a graph");
    handle_ = std::move(handle);
  } catch (const Error& error) {
    why_eager_ = error.what();
    cudaStreamCaptureStatus status = cudaStreamCaptureStatusNone;
    cudaStreamIsCapturing(stream, &status);
    if (status != cudaStreamCaptureStatusNone) cudaStreamEndCapture(stream, &graph);
    cudaGetLastError();
  }
  if (graph) cudaGraphDestroy(graph);
#endif
}

}  // namespace dactyl
