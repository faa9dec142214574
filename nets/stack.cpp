// Building and running a stack.
#include "nets/stack.h"

namespace dactyl {

void Stack::add(const std::string& name, const std::string& kind, Shape shape, Layer layer, bool seen) {
  steps_.push_back({name, std::move(layer), shape, seen});
  kinds_[(at_ / name).path] = kind;
  shape_ = shape;
}

void Stack::conv(const std::string& name, i64 out, Kernel k, i64 groups) {
  const Shape shape = output_shape(shape_, k.on(shape_), out);
  const ConvUnit unit(at_ / name, shape_.channels(), out, k, style_, groups);
  add(
      name, "conv", shape, [unit](const Tensor& x, Pass& pass) { return unit(x, pass); }, true);
  steps_.back().unit = unit;
}

void Stack::depthwise(const std::string& name, Kernel k) { conv(name, shape_.channels(), k, shape_.channels()); }

void Stack::max_pool(const std::string& name, Kernel k, Rounding rounding) {
  const Pooling pool{k, rounding};
  add(name, "max pool", output_shape(shape_, k.on(shape_), shape_.channels(), rounding),
      [pool](const Tensor& x, Pass&) { return dactyl::max_pool(x, pool.on(x.shape())); });
  steps_.back().pool = pool;
}

void Stack::mean_pool(const std::string& name, Kernel k, Rounding rounding) {
  add(name, "mean pool", output_shape(shape_, k.on(shape_), shape_.channels(), rounding),
      [k, rounding](const Tensor& x, Pass&) {
        return dactyl::mean_pool(x, {.window = k.on(x.shape()), .rounding = rounding});
      });
}

void Stack::adaptive_mean(const std::string& name, i64 size) {
  add(name, "mean pool", Shape{1, size, size, shape_.channels()}, [size](const Tensor& x, Pass&) {
    const bool there = x.shape()[1] == size && x.shape()[2] == size;
    return there ? x : dactyl::adaptive_mean(x, size, size);
  });
}

void Stack::global_mean(const std::string& name) {
  add(name, "mean pool", Shape{1, shape_.channels()}, [](const Tensor& x, Pass&) { return dactyl::global_mean(x); });
}

void Stack::lrn(const std::string& name) {
  add(name, "lrn", shape_, [](const Tensor& x, Pass&) { return dactyl::lrn(x); });
  steps_.back().lrn = true;
}

void Stack::inception(const InceptionRow& row, const InceptionStyle& style) {
  const Inception block(at_ / row.name, shape_.channels(), row, style);
  for (const std::string& unit : style.names) kinds_[(at_ / row.name / unit).path] = "conv";
  add(row.name, "inception", shape_.with(-1, row.channels()), block);
}

void Stack::linear(const std::string& name, i64 out, bool relu) {
  const LinearUnit unit(at_ / name, shape_.count(), out, style_, relu);
  add(
      name, "linear", Shape{1, out}, [unit](const Tensor& x, Pass& pass) { return unit(x, pass); }, true);
}

void Stack::lstm(const std::string& name, i64 units) {
  const LstmUnit unit(at_ / name, shape_.channels(), units);
  add(
      name, "lstm", Shape{1, units}, [unit](const Tensor& x, Pass& pass) { return unit(x, pass); }, true);
}

void Stack::dropout(const std::string& name, double drop) {
  add(name, "dropout", shape_, [drop](const Tensor& x, Pass& pass) { return dropout_if_training(x, drop, pass); });
}

void Stack::side(const std::string& name, double weight, Stack branch) {
  add(
      name, "side", shape_,
      [weight, branch](const Tensor& x, Pass& pass) {
        if (pass.training) pass.auxiliary.emplace_back(branch(x, pass), weight);
        return x;
      },
      true);
}

Tensor Stack::run(std::size_t first, Tensor x, Pass& pass) const {
  for (std::size_t i = first; i < steps_.size(); ++i) {
    const Step& step = steps_[i];
    const Range range((at_ / step.name).path);
    if (pools_next(i, pass)) {
      x = step.unit->pooled(x, pass, *steps_[++i].pool);
      continue;
    }
    x = computed(first, i, x, pass);
    if (!step.seen) pass.see((at_ / step.name).path, x);
  }
  return x;
}

// Of a run that began with layer `first`: only then has the layer before i left it something to do.
Tensor Stack::computed(std::size_t first, std::size_t i, const Tensor& x, Pass& pass) const {
  if (leaves_relu(i, pass)) return steps_[i].unit->convolved(x);
  if (i > first && leaves_relu(i - 1, pass)) return dactyl::lrn(x, {.relu = true});
  return steps_[i].layer(x, pass);
}

bool Stack::leaves_relu(std::size_t i, const Pass& pass) const {
  return steps_[i].unit && i + 1 < steps_.size() && steps_[i + 1].lrn && steps_[i].unit->leaves_relu(pass);
}

bool Stack::pools_next(std::size_t i, const Pass& pass) const {
  return steps_[i].unit && i + 1 < steps_.size() && steps_[i + 1].pool && steps_[i].unit->pools(pass);
}

Tensor Stack::operator()(const Tensor& x, Pass& pass) const { return run(0, x, pass); }

Tensor Stack::run_from(const std::string& name, const Tensor& x, Pass& pass) const {
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    if (steps_[i].name != name) continue;
    const Shape shape = steps_[i].shape.with(0, x.shape()[0]);
    return run(i + 1, x.shape().rank() == shape.rank() ? x : x.reshaped(shape), pass);
  }
  fail(Exit::failure, "stack: no layer {}", {name});
}

std::vector<std::string> Stack::names() const {
  std::vector<std::string> all;
  for (const Step& step : steps_) all.push_back((at_ / step.name).path);
  return all;
}

}  // namespace dactyl
