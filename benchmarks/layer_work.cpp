// Running a described layer.
#include "benchmarks/layer_work.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace dactyl {
namespace {

using Kind = Descriptor::Kind;

// The current context's arithmetic for a block.
struct MathScope {
  Math& place = Context::current().math;
  Math outer = place;
  explicit MathScope(Math math) { place = math; }
  ~MathScope() { place = outer; }
};

void forget(const Tensor& t) {  // the gradient of the run before
  if (!t.slot()) return;
  t.slot()->filled = false;
  t.slot()->grad = Tensor();
}

}  // namespace

std::string to_text(LayerPass pass) {
  switch (pass) {
    case LayerPass::forward:
      return "forward";
    case LayerPass::data:
      return "data";
    case LayerPass::weights:
      return "weights";
    case LayerPass::both:
      return "both";
  }
  return "";
}

std::string to_text(Algorithm algorithm) {
  return algorithm == Algorithm::automatic ? "automatic" : algorithm == Algorithm::library ? "library" : "reference";
}

Tensor seeded(const Tensor& y, const Tensor& dy) {
  return record("seed", {y}, Tensor(Shape{}, DType::f32, y.device()), [dy](const Tensor&) { return Grads{dy}; });
}

LayerWork::LayerWork(const Descriptor& layer, LayerPass pass, Algorithm algorithm)
    : layer_(layer), pass_(pass), algorithm_(algorithm) {
  const Descriptor& d = layer_;
  check(Exit::usage, pass != LayerPass::weights || d.learns(), "{}: this kind has no weights", to_text(d));
  check(Exit::usage, d.learns() || algorithm != Algorithm::library,
        "{}: no library computes this kind; there are automatic and reference", to_text(d));
  x_ = random_numbers(d.x, d.dtype, 1);
  dy_ = random_numbers(d.y(), d.dtype, 2);
  const i64 channels = d.y().channels();
  if (d.learns()) w_ = random_numbers(d.w(), d.dtype, 3);
  if (d.bias) bias_ = random_numbers({channels}, d.dtype, 4);
  if (d.into) wide_ = Tensor(d.y().with(-1, d.into), d.dtype);
  if (d.norms()) {
    const DType type = d.dtype == DType::f64 ? DType::f64 : DType::f32;
    gamma_ = Tensor::full({channels}, 1, type);
    bias_ = Tensor::zeros({channels}, type);
    mean_ = Tensor::zeros({channels}, type);
    var_ = Tensor::full({channels}, 1, type);
  }
  const bool all = pass == LayerPass::both;
  if (all || pass == LayerPass::data) x_.watch();
  if (w_.defined() && (all || pass == LayerPass::weights)) w_.watch();
  if (all && bias_.defined()) bias_.watch();
  if (all && gamma_.defined()) gamma_.watch();
}

Tensor LayerWork::forward() const {
  const Descriptor& d = layer_;
  const Tensor into = wide_.defined() ? wide_.slice(0, d.y().channels()) : Tensor();
  const NormOptions norm{.statistics = d.frozen ? Statistics::frozen : Statistics::batch,
                         .relu = d.relu,
                         .into = d.pools() ? Tensor() : into,
                         .algorithm = algorithm_};
  const PoolOptions pool{d.window, d.ceil ? Rounding::ceil : Rounding::floor, into, algorithm_};
  switch (d.kind) {
    case Kind::conv:
      return conv(x_, w_, {d.window, d.groups, bias_, d.relu, into, algorithm_});
    case Kind::max_pool:
      return max_pool(x_, pool);
    case Kind::mean_pool:
      return mean_pool(x_, pool);
    case Kind::batch_norm:
      return batch_norm(x_, gamma_, bias_, mean_, var_, norm);
    case Kind::norm_max_pool:
      return batch_norm_max_pool(x_, gamma_, bias_, mean_, var_, norm, pool);
    case Kind::lrn:
      return lrn(x_, {.size = d.n, .relu = d.relu, .algorithm = algorithm_});
    case Kind::linear:
      return linear(x_, w_, {bias_, d.relu, algorithm_});
  }
  return {};
}

void LayerWork::backward() {
  for (const Tensor& t : {x_, w_, bias_, gamma_})
    if (t.defined()) forget(t);
  Tape tape;
  const Tensor loss = seeded(forward(), dy_);
  if (pass_ != LayerPass::both) {
    sweep_();
    trace_done("sweep");
  }
  tape.backward(loss);
  result_ = pass_ == LayerPass::weights ? w_.grad() : x_.grad();
}

void LayerWork::operator()() {
  sweep_();
  trace_done("sweep");
  if (pass_ == LayerPass::forward)
    result_ = forward();
  else
    backward();
}

std::vector<double> work_ms(const std::vector<OperationTimes>& all, bool backward_only) {
  std::vector<double> sums(all.empty() ? 0 : all.front().ms.size(), 0);
  for (const OperationTimes& row : all) {
    const Operation& o = row.operation;
    if (o.name == "sweep" || o.name == "seed" || (backward_only && !o.backward)) continue;
    for (std::size_t i = 0; i < sums.size(); ++i) sums[i] += row.ms[i];
  }
  return sums;
}

std::vector<double> time_layer(const Descriptor& layer, LayerPass pass, Algorithm algorithm, const TimingOptions& o) {
  const MathScope scope(layer.math);
  LayerWork work(layer, pass, algorithm);
  const bool gradient = pass == LayerPass::data || pass == LayerPass::weights;
  return work_ms(measure_operations([&] { work(); }, o), gradient);
}

double layer_error(const Descriptor& layer, LayerPass pass, Algorithm algorithm) {
  const MathScope scope(layer.math);
  LayerWork work(layer, pass, algorithm), reference(layer, pass, Algorithm::reference);
  work();
  reference();
  const std::vector<float> a = work.result().floats(), b = reference.result().floats();
  double difference = 0, largest = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i] == b[i] || (std::isnan(a[i]) && std::isnan(b[i]))) continue;
    const double here = std::abs(double{a[i]} - double{b[i]});
    if (!std::isfinite(here)) return std::numeric_limits<double>::infinity();
    difference = std::max(difference, here);
    largest = std::max(largest, std::abs(double{b[i]}));
  }
  return largest > 0 ? difference / largest : difference;
}

}  // namespace dactyl
