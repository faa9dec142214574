// Streams, events and the current context of each thread.
#include "engine/context.h"

#include "engine/cuda.h"
#include "engine/each.h"
#ifdef __CUDACC__
#include <cublasLt.h>
#include <cudnn.h>
#endif

namespace dactyl {
namespace {
thread_local Context* current_context = nullptr;

void make_current([[maybe_unused]] Device device) {
#ifdef __CUDACC__
  if (device.is_cuda()) check(cudaSetDevice(device.index), "choosing a GPU");
#endif
  check(!device.is_cuda() || gpu_count() > device.index, "context: {} is not there", device);
}
}  // namespace

Event::Event(CUevent_st* handle) {
#ifdef __CUDACC__
  if (handle) handle_ = {handle, [](CUevent_st* e) { cudaEventDestroy(e); }};
#else
  (void)handle;
#endif
}

void Event::synchronize() const {
#ifdef __CUDACC__
  if (handle_) check(cudaEventSynchronize(handle_.get()), "waiting for an event");
#endif
}

bool Event::done() const {
#ifdef __CUDACC__
  if (handle_) {
    const cudaError_t state = cudaEventQuery(handle_.get());
    if (state != cudaErrorNotReady) check(state, "asking for an event");
    return state == cudaSuccess;
  }
#endif
  return true;
}

Stream::Stream([[maybe_unused]] Device device) {
#ifdef __CUDACC__
  if (!device.is_cuda()) return;
  make_current(device);
  cudaStream_t stream = nullptr;
  check(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "creating a stream");
  handle_ = {stream, [](CUstream_st* s) { cudaStreamDestroy(s); }};
#endif
}

void Stream::wait([[maybe_unused]] const Event& event) {
#ifdef __CUDACC__
  if (handle_ && event.handle()) check(cudaStreamWaitEvent(handle_.get(), event.handle(), 0), "ordering two streams");
#endif
}

Event Stream::record() {
#ifdef __CUDACC__
  if (handle_) {
    cudaEvent_t event = nullptr;
    check(cudaEventCreateWithFlags(&event, cudaEventDisableTiming), "creating an event");
    Event owned(event);
    check(cudaEventRecord(event, handle_.get()), "recording an event");
    return owned;
  }
#endif
  return {};
}

void Stream::synchronize() {
#ifdef __CUDACC__
  if (handle_) check(cudaStreamSynchronize(handle_.get()), "waiting for the GPU");
#endif
}

Context::Context(Device device)
    : device_(device),
      pool_(device.is_cuda() ? (make_current(device), std::make_shared<Pool>(device)) : Pool::host()),
      copy_(device) {
  lane_ = &lanes_.emplace_back(device);
  strict = std::getenv("DACTYL_STRICT") != nullptr;
  side_by_side = std::getenv("DACTYL_IN_ORDER") == nullptr;
}

Context::Lane::~Lane() {
#ifdef __CUDACC__
  if (compute.handle()) cudaStreamSynchronize(compute.handle());
  if (cudnn) cudnnDestroy(cudnn);
#endif
}

Context::~Context() {
#ifdef __CUDACC__
  lanes_.clear();
  if (blas_) cublasLtDestroy(reinterpret_cast<cublasLtHandle_t>(blas_));
#endif
}

void Context::enter(std::size_t index, const Event& after, const std::function<void()>& work) {
  Lane& lane = lanes_[index];
  Lane* outer = std::exchange(lane_, &lane);
  try {
    if (index > 0) {
      lane.compute.wait(after);
      lane.left = true;
    }
    work();
  } catch (...) {
    lane_ = outer;
    throw;
  }
  lane_ = outer;
}

void Context::meet() {
  std::vector<Lane*> others;
  for (Lane& lane : lanes_)
    if (std::exchange(lane.left, false)) others.push_back(&lane);
  for (Lane* lane : others) compute().wait(lane->compute.record());
}

Context& Context::current() {
  if (current_context) return *current_context;
  thread_local Context cpu{Device::cpu()};
  return cpu;
}

Context* Context::find(Device device) {
  Context& context = current();
  return context.device() == device ? &context : nullptr;
}

cudnnContext* Context::cudnn() {
#ifdef __CUDACC__
  if (!lane_->cudnn) {
    const cudnnStatus_t made = cudnnCreate(&lane_->cudnn);
    check(made == CUDNN_STATUS_SUCCESS, "cuDNN does not start: {}", cudnnGetErrorString(made));
    check(cudnnSetStream(lane_->cudnn, lane_->compute.handle()) == CUDNN_STATUS_SUCCESS, "cuDNN refuses the stream");
  }
#endif
  return lane_->cudnn;
}

cublasLtContext* Context::blas() {
#ifdef __CUDACC__
  if (!blas_) {
    cublasLtHandle_t handle = nullptr;
    check(cublasLtCreate(&handle) == CUBLAS_STATUS_SUCCESS, "cuBLASLt does not start");
    blas_ = reinterpret_cast<cublasLtContext*>(handle);
  }
#endif
  return blas_;
}

Use::Use(Device device) : Use(std::make_shared<Context>(device)) {}

Use::Use(std::shared_ptr<Context> context) : context_(std::move(context)), outer_(current_context) {
  current_context = context_.get();
}

Use::~Use() {
  current_context = outer_;
#ifdef __CUDACC__
  context_->compute().synchronize();
#endif
  context_.reset();
}

void check_launch([[maybe_unused]] const char* what) {
#ifdef __CUDACC__
  check(cudaGetLastError(), what);
#endif
}

}  // namespace dactyl
