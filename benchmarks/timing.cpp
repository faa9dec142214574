// Repeating, with stamps.
#include "benchmarks/timing.h"

#include <algorithm>
#include <chrono>
#include <ctime>

#include "train/progress.h"

namespace dactyl {
namespace {

constexpr i64 sweep_bytes = i64{256} << 20;  // five times the largest second-level cache there is

double host_ms() {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

void wait() { Context::current().compute().synchronize(); }

// Calls once() until the time is up.
void repeat(const TimingOptions& o, const std::function<void()>& once) {
  Progress progress("measuring", std::max<i64>(1, static_cast<i64>(o.seconds * 1e3)), "ms");
  const double start = host_ms();
  double spent = 0;
  for (i64 runs = 0; (spent < o.seconds * 1e3 || runs < o.least) && (runs == 0 || spent < o.seconds * 1e4); ++runs) {
    once();
    progress.advance(static_cast<i64>(host_ms() - start) - static_cast<i64>(spent));
    spent = host_ms() - start;
  }
}

}  // namespace

CacheSweep::CacheSweep() {
  if (Context::current().device().is_cuda()) numbers_ = Tensor::zeros({sweep_bytes / 4});
}

Measured measure(const std::function<void()>& work, const TimingOptions& o) {
  Measured measured;
  Graph graph(work);
  const auto run = [&] { o.graph ? graph.run() : work(); };
  const double start = host_ms();
  run();
  wait();
  measured.first_ms = host_ms() - start;
  run();  // captures
  run();
  wait();
  const std::clock_t cpu = std::clock();
  repeat(o, [&] {
    const Stamp before = Stamp::now();
    run();
    const Stamp after = Stamp::now();
    wait();
    measured.ms.push_back(after.since(before) * 1e3);
  });
  measured.cpu_ms =
      1e3 * static_cast<double>(std::clock() - cpu) / CLOCKS_PER_SEC / static_cast<double>(measured.ms.size());
  measured.captured = graph.captured();
  measured.why_eager = graph.why_eager();
  measured.graph_bytes = graph.memory();
  return measured;
}

std::vector<OperationTimes> measure_operations(const std::function<void()>& work, const TimingOptions& o) {
  OperationTrace trace;
  const auto traced = [&] {
    trace.restart();
    trace_begin();
    work();
  };
  Graph graph(traced);
  const auto run = [&] { o.graph ? graph.run() : traced(); };
  for (int i = 0; i < 3; ++i) run();
  std::vector<OperationTimes> all;
  for (const Operation& operation : trace.operations()) all.push_back({operation, {}});
  repeat(o, [&] {
    run();
    const std::vector<double> seconds = trace.seconds();
    check(seconds.size() == all.size(), "measure: {} operations in one run, {} in another", all.size(), seconds.size());
    for (std::size_t i = 0; i < all.size(); ++i) all[i].ms.push_back(seconds[i] * 1e3);
  });
  return all;
}

Tensor random_numbers(Shape shape, DType type, std::uint64_t seed, i64 below) {
  const i64 count = shape.count(), block = std::min<i64>(count, 1 << 20);  // repeated: drawing and carrying are slow
  const bool whole = type == DType::i32 || type == DType::u8;
  Tensor host(Shape{block}, whole ? type : DType::f32, Device::cpu());
  Sequence random(seed);
  for (i64 i = 0; i < block; ++i) {
    if (type == DType::u8)
      host.data<std::uint8_t>()[i] = static_cast<std::uint8_t>(random.below(256));
    else if (type == DType::i32)
      host.data<std::int32_t>()[i] = static_cast<std::int32_t>(random.below(below));
    else
      host.data<float>()[i] = static_cast<float>(random.uniform(-1, 1));
  }
  const Tensor drawn = host.to(type).to(Context::current().device());
  Tensor numbers(shape, type);
  for (i64 i = 0; i < count; i += block) {
    const Shape part{std::min(block, count - i)};
    view(numbers, i, part).copy_from(view(drawn, 0, part));
  }
  return numbers;
}

}  // namespace dactyl
