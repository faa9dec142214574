// Stamps are events with a clock on the GPU, the host's steady clock elsewhere.
#include "engine/stamp.h"

#include <chrono>

#include "engine/cuda.h"

namespace dactyl {

Stamp Stamp::now() {
  Stamp stamp;
#ifdef __CUDACC__
  if (CUstream_st* stream = Context::current().compute().handle()) {
    cudaStreamCaptureStatus status = cudaStreamCaptureStatusNone;
    check(cudaStreamIsCapturing(stream, &status), "asking whether a stream is captured");
    cudaEvent_t event = nullptr;
    check(cudaEventCreate(&event), "creating a stamp");
    stamp.event_ = Event(event);
    const bool captured = status == cudaStreamCaptureStatusActive;
    check(cudaEventRecordWithFlags(event, stream, captured ? cudaEventRecordExternal : cudaEventRecordDefault),
          "recording a stamp");
    return stamp;
  }
#endif
  stamp.host_ = std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
  return stamp;
}

double Stamp::since(const Stamp& earlier) const {
#ifdef __CUDACC__
  if (event_.handle()) {
    float ms = 0;
    check(cudaEventElapsedTime(&ms, earlier.event_.handle(), event_.handle()), "reading a stamp");
    return ms * 1e-3;
  }
#endif
  return host_ - earlier.host_;
}

}  // namespace dactyl
