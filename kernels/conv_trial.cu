// Checking against the definition, and timing.
#include "kernels/conv_trial.h"

#ifdef __CUDACC__

#include <cstdio>
#include <limits>

#include "engine/cuda.h"
#include "engine/each.h"
#include "kernels/conv_check.h"

namespace dactyl {
namespace {

constexpr double time_to_measure = 20e-3, clearly_slower = 1.5;
constexpr double never = std::numeric_limits<double>::infinity();
constexpr long long head_start = 90'000;  // cycles, some 50 µs: longer than the host needs to queue a run

std::shared_ptr<CUevent_st> timer() {
  cudaEvent_t event = nullptr;
  check(cudaEventCreate(&event), "creating an event");
  return {event, [](cudaEvent_t e) { cudaEventDestroy(e); }};
}

// Keeps the GPU busy while a run is queued behind it: what is timed then is the GPU's work, not the host's.
__global__ void linger() {
  for (const long long start = clock64(); clock64() - start < head_start;) {
  }
}

}  // namespace

ConvTrial::ConvTrial(const ConvProblem& p) : problem_(p), start_(timer()), end_(timer()) {
  const Device device = Context::current().device();
  tensors_ = {Tensor({p.x_count()}, p.dtype, device), Tensor({p.w_count()}, p.dtype, device),
              Tensor({p.rows_out(), p.y_pitch()}, p.dtype, device).slice(0, p.outs),
              p.bias ? Tensor({p.outs}, p.dtype, device) : Tensor()};
  fill_conv(p, tensors_.data(), device);
  want_ = conv_samples(p, tensors_.data(), device);
}

bool ConvTrial::agrees(const std::string& name, const Run& run) {
  fill_conv(problem_, tensors_.data(), Context::current().device());
  if (!run(tensors_)) return false;
  const double error = conv_error(problem_, tensors_.data(), want_);
  if (error <= conv_tolerance(problem_)) return true;
  std::fprintf(stderr, "dactyl: '%s' computes the %s with relative error %s: not used\n", name.c_str(),
               to_text(problem_).c_str(), to_text(error).c_str());
  return false;
}

double ConvTrial::once(const Run& run) {
  const auto stream = Context::current().compute().handle();
  linger<<<1, 1, 0, stream>>>();
  check_launch("linger");
  check(cudaEventRecord(start_.get(), stream), "timing a convolution");
  if (!run(tensors_)) return never;
  check(cudaEventRecord(end_.get(), stream), "timing a convolution");
  check(cudaEventSynchronize(end_.get()), "timing a convolution");
  float milliseconds = 0;
  check(cudaEventElapsedTime(&milliseconds, start_.get(), end_.get()), "timing a convolution");
  return milliseconds * 1e-3;
}

double ConvTrial::seconds(const Run& run, double best) {
  std::vector<double> times{once(run)};
  if (times[0] > clearly_slower * best) return times[0];
  const int more = static_cast<int>(std::clamp(time_to_measure / std::max(times[0], 1e-6), 2.0, 8.0));
  for (int i = 0; i < more; ++i) times.push_back(once(run));
  std::sort(times.begin(), times.end());
  return times[times.size() / 2];
}

}  // namespace dactyl
#endif
