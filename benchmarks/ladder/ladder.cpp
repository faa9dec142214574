// Which layers, their reference, and who else computes them.
#include "benchmarks/ladder/ladder.h"

#include <map>

#include "benchmarks/timing.h"

namespace dactyl {
namespace {

using Kind = Descriptor::Kind;

struct Size {
  std::string kind, real, small;
  i64 batch;
};
// Mixed_3b's branch of 3×3×3 and its pool, Conv3d_2c's normalisation.
const std::map<std::string, Size>& sizes() {
  static const std::map<std::string, Size> list{
      {"conv3d", {"conv3d", "10x28x28x96 k=3 p=1 out=128 bf16", "3x5x7x24 k=3 p=1 out=136 bf16", 16}},
      {"max_pool3d", {"max_pool3d", "10x28x28x192 k=3 p=1 bf16", "3x5x7x24 k=3 p=1 bf16", 32}},
      {"batch_norm3d", {"batch_norm", "10x56x56x192 relu bf16", "3x5x17x72 relu bf16", 16}}};
  return list;
}

const Size& size_of_ladder(const std::string& name) {
  const auto found = sizes().find(name);
  check(Exit::usage, found != sizes().end(), "bench ladder '{}': there are conv3d, max_pool3d, batch_norm3d", name);
  return found->second;
}

constexpr double epsilon = 1e-5;

Tensor computed(const Descriptor& d, const LadderInputs& in, const Tensor& y, Algorithm algorithm) {
  if (d.kind == Kind::conv) return conv(in.x, in.w, {.window = d.window, .into = y, .algorithm = algorithm});
  if (d.kind == Kind::max_pool) return max_pool(in.x, {.window = d.window, .into = y, .algorithm = algorithm});
  return batch_norm(in.x, in.gamma, in.beta, in.mean, in.var,
                    {.epsilon = epsilon, .relu = true, .into = y, .algorithm = algorithm});
}

LadderInputs random_inputs(const Descriptor& d) {
  LadderInputs in{.x = random_numbers(d.x, DType::bf16, 1)};
  if (d.kind == Kind::conv) in.w = random_numbers(d.w(), DType::bf16, 2);
  if (d.kind != Kind::batch_norm) return in;
  const Shape channels{d.x.channels()};
  in.gamma = random_numbers(channels, DType::f32, 3);
  in.beta = random_numbers(channels, DType::f32, 4);
  in.mean = Tensor::zeros(channels);
  in.var = Tensor::full(channels, 1);
  return in;
}

LadderInputs widened(LadderInputs in) {
  for (Tensor* t : {&in.x, &in.w, &in.gamma, &in.beta, &in.mean, &in.var})
    if (t->defined()) *t = t->to(DType::f64);
  return in;
}

void check_layer(const Descriptor& d) {
  bool fits = d.dtype == DType::bf16 && d.x.rank() == 5 && !d.bias && !d.into && d.groups == 1;
  if (d.kind == Kind::conv || d.kind == Kind::max_pool) {
    const Window same = window({3, 3, 3}, {1, 1, 1}, {1, 1, 1});
    fits = fits && !d.relu && d.window.kernel == same.kernel && d.window.stride == same.stride &&
           d.window.low == same.low && d.window.high == same.high;
  } else {
    fits = fits && d.kind == Kind::batch_norm && d.relu && !d.frozen;
  }
  check(Exit::usage, fits, "ladder: no rungs compute '{}'", to_text(d));
}

}  // namespace

std::vector<std::string> ladder_names() { return {"conv3d", "max_pool3d", "batch_norm3d"}; }

Descriptor ladder_layer(const std::string& name, i64 batch) {
  const Size& s = size_of_ladder(name);
  return parse_descriptor(s.kind + " x=" + std::to_string(batch ? batch : s.batch) + "x" + s.real);
}

Descriptor small_ladder_layer(const std::string& name) {
  const Size& s = size_of_ladder(name);
  return parse_descriptor(s.kind + " x=2x" + s.small);
}

Ladder::Ladder(const Descriptor& layer) : layer_(layer) {
  check_layer(layer);
  inputs_ = random_inputs(layer);
  want_ = computed(layer, widened(inputs_), {}, Algorithm::reference);
  y_ = Tensor(layer.y(), DType::bf16);
  const LadderInputs& in = inputs_;
  if (layer.kind == Kind::conv) rungs_ = ladder::conv3d_rungs(in.x, in.w, y_);
  if (layer.kind == Kind::max_pool) rungs_ = ladder::max_pool3d_rungs(in.x, y_);
  if (layer.kind == Kind::batch_norm)
    rungs_ = ladder::batch_norm3d_rungs(in.x, in.gamma, in.beta, static_cast<float>(epsilon), y_);
  add_others();
}

void Ladder::add_others() {
  const auto by = [this](Algorithm algorithm) {
    return [inputs = inputs_, d = layer_, y = y_, algorithm] { computed(d, inputs, y, algorithm); };
  };
  rungs_.push_back({"dactyl", "the engine's own operation", 0, by(Algorithm::automatic), true});
  if (y_.device().is_cuda()) rungs_.push_back(cudnn_rung(layer_, inputs_, y_));
}

double Ladder::error(const ladder::Rung& rung) const {
  Tensor y = y_;
  y.fill(std::numeric_limits<double>::quiet_NaN());
  rung.run();
  return ladder::largest_difference(y_, want_);
}

double Ladder::limit() const { return layer_.kind == Kind::max_pool ? 0 : 4e-3; }

}  // namespace dactyl
