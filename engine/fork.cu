// Streams that leave the usual one and come back.
#include "engine/fork.h"

#include <utility>

#include "engine/cuda.h"
#include "engine/graph.h"
#include "engine/trace.h"

namespace dactyl {
namespace {

constexpr std::size_t most_branches = 4;  // lane 0 to 3; work aside of branch i is in lane 4 + i

thread_local Branch branch_here;
thread_local int forks = 0;  // that this thread has made

}  // namespace

Branch Fork::here() { return branch_here; }

Fork::Fork() : context_(Context::current()), within_(branch_here.fork != 0), before_(branch_here) {
  if (within_) {
    apart_ = context_.fork_;
    return;
  }
  branch_here = {++forks, 0};
  start();
}

// Lanes are made by the eager run that precedes a capture: libraries may not start inside one, and who never captures
// needs none.
void Fork::start() {
#ifdef __CUDACC__
  if (!context_.device().is_cuda() || !context_.side_by_side || tracing()) return;
  cudaStreamCaptureStatus status = cudaStreamCaptureStatusNone;
  check(cudaStreamIsCapturing(context_.compute().handle(), &status), "asking for a capture");
  if (status == cudaStreamCaptureStatusActive) {
    if (context_.lanes_.size() < 2 * most_branches) return;
    apart_ = context_.fork_ = this;
    begin_ = context_.compute().record();
    context_.pool()->hold(true);
    return;
  }
  while (Graph::rehearsing() && context_.lanes_.size() < 2 * most_branches) {
    context_.lane_ = &context_.lanes_.emplace_back(context_.device());
    context_.cudnn();
    context_.lane_ = &context_.lanes_.front();
  }
#endif
}

void Fork::operator()(const std::function<void()>& branch) {
  if (within_) return branch();
  const int index = branches_++;
  branch_here.index = index;
  if (!apart_) return branch();
  check(index < static_cast<int>(most_branches), "fork: more than {} branches", most_branches);
  context_.enter(static_cast<std::size_t>(index), begin_, branch);
}

void Fork::aside(const std::function<void()>& work) {
  if (!apart_) return work();
  const std::size_t lane = most_branches + static_cast<std::size_t>(branch_here.index);
  context_.enter(lane, context_.compute().record(), work);
}

// A capture that failed has no streams to join; its own error is told.
Fork::~Fork() {
  branch_here = before_;
  if (within_ || !apart_) return;
  context_.fork_ = nullptr;
  context_.pool()->hold(false);
  try {
    context_.meet();
  } catch (const Error&) {
  }
}

}  // namespace dactyl
