// A ring of counters in host memory.
#include "train/step_book.h"

#include <algorithm>
#include <cstring>

namespace dactyl {
namespace {
constexpr std::size_t bytes_per_row = 4 * sizeof(double);
}

StepBook::StepBook(Take take)
    : counters(Tensor::zeros({4}, DType::f64)),
      take_(std::move(take)),
      interval_(counters.device().is_cuda() ? 20 : 1),
      ring_(pinned_bytes(2 * interval_ * bytes_per_row)) {}

void StepBook::note(i64 step, double rate, double waited) {
  Context& context = Context::current();
  const std::size_t place = static_cast<std::size_t>(noted_++) % (2 * interval_);
  copy_bytes(ring_.get() + place * bytes_per_row, Device::cpu(), counters.raw(), counters.device(), bytes_per_row);
  due_.push_back({.step = step, .rate = rate});
  waited_ = waited;
  if (interval_ == 1) return flush();
  if (due_.size() == 2 * interval_) {
    half_.synchronize();
    give(interval_);
  }
  if (due_.size() == interval_) half_ = context.compute().record();
}

void StepBook::flush() {
  Context::current().compute().synchronize();
  give(due_.size());
}

void StepBook::restart() {
  due_.clear();
  since_ = Clock::now();
  waited_before_ = waited_;
}

void StepBook::give(std::size_t rows) {
  if (rows == 0) return;
  const auto now = Clock::now();
  const double seconds = std::max(1e-9, std::chrono::duration<double>(now - since_).count());
  const double wait = std::clamp((waited_ - waited_before_) / seconds, 0.0, 1.0);
  const std::vector<StepRow> ready(due_.begin(), due_.begin() + static_cast<std::ptrdiff_t>(rows));
  std::size_t place = static_cast<std::size_t>(noted_) - due_.size();
  due_.erase(due_.begin(), due_.begin() + static_cast<std::ptrdiff_t>(rows));
  since_ = now;
  waited_before_ = waited_;
  for (StepRow row : ready) {
    double counts[4];
    std::memcpy(counts, ring_.get() + place++ % (2 * interval_) * bytes_per_row, bytes_per_row);
    const double samples = std::max(counts[1], 1.0);
    row.loss = counts[0] / samples;
    row.accuracy = counts[2] / samples;
    row.samples_per_s = counts[1] * static_cast<double>(rows) / seconds;
    row.wait = wait;
    row.seconds = seconds / static_cast<double>(rows);
    take_(row);
  }
}

}  // namespace dactyl
