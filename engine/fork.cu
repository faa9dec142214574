// Streams that leave the usual one and come back.
#include "engine/fork.h"

#include "engine/cuda.h"
#include "engine/graph.h"
#include "engine/trace.h"

namespace dactyl {

constexpr std::size_t most_lanes = 4;

// Lanes are made by the eager run that precedes a capture: libraries may not start inside one, and who never captures
// needs none.
Fork::Fork() : context_(Context::current()) {
#ifdef __CUDACC__
  if (!context_.device().is_cuda() || !context_.side_by_side || tracing()) return;
  if (context_.lane_ != &context_.lanes_.front()) return;  // inside a branch
  cudaStreamCaptureStatus status = cudaStreamCaptureStatusNone;
  check(cudaStreamIsCapturing(context_.compute().handle(), &status), "asking for a capture");
  if (status == cudaStreamCaptureStatusActive) {
    apart_ = context_.lanes_.size() == most_lanes;
    if (!apart_) return;
    begin_ = context_.compute().record();
    context_.pool()->hold(true);
    return;
  }
  while (Graph::rehearsing() && context_.lanes_.size() < most_lanes) {
    context_.lane_ = &context_.lanes_.emplace_back(context_.device());
    context_.cudnn();
    context_.lane_ = &context_.lanes_.front();
  }
#endif
}

void Fork::operator()(const std::function<void()>& branch) {
  if (!apart_) return branch();
  check(next_ < most_lanes, "fork: more than {} branches", most_lanes);
  Context::Lane& lane = context_.lanes_[next_++];
  context_.lane_ = &lane;
  if (next_ > 1) lane.compute.wait(begin_);
  try {
    branch();
  } catch (...) {
    context_.lane_ = &context_.lanes_.front();
    throw;
  }
  context_.lane_ = &context_.lanes_.front();
}

// A capture that failed has no streams to join; its own error is told.
Fork::~Fork() {
  if (!apart_) return;
  context_.pool()->hold(false);
  try {
    for (std::size_t i = 1; i < next_; ++i) context_.compute().wait(context_.lanes_[i].compute.record());
  } catch (const Error&) {
  }
}

}  // namespace dactyl
