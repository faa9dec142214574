// The optimisers and what they keep between steps.
#include "train/optimizer.h"

namespace dactyl {

Optimizer::Optimizer(Flat flat) : flat_(std::move(flat)), rate_(Tensor::zeros({1})) {}

void Optimizer::set_rate(double rate) { rate_.fill(rate); }

// Only forgets: the first gradient that arrives is copied over the old one, a place no gradient reaches holds zeros.
void Optimizer::zero_gradients() {
  for (const auto& slot : flat_.slots) slot->filled = false;
}

namespace {

using State = std::vector<std::pair<std::string, Tensor>>;

class Sgd : public Optimizer {
 public:
  Sgd(Flat flat, const SgdOptions& options)
      : Optimizer(std::move(flat)), options_(options), velocity_(Tensor::zeros(flat_.values.shape())) {}
  void step() override { sgd(flat_, velocity_, rate_, options_); }
  State state() override { return {{"velocity", velocity_}}; }

 private:
  SgdOptions options_;
  Tensor velocity_;
};

class Adam : public Optimizer {
 public:
  Adam(Flat flat, const AdamOptions& options)
      : Optimizer(std::move(flat)),
        options_(options),
        first_(Tensor::zeros(flat_.values.shape())),
        second_(Tensor::zeros(flat_.values.shape())),
        updates_(Tensor::zeros({1}, DType::i32)) {}
  void step() override {
    adam(flat_, first_, second_, updates_, rate_, options_);
    increment(updates_);
  }
  State state() override { return {{"first", first_}, {"second", second_}, {"updates", updates_}}; }

 private:
  AdamOptions options_;
  Tensor first_, second_, updates_;
};

}  // namespace

std::unique_ptr<Optimizer> make_optimizer(const OptimizerOptions& o, Flat flat) {
  if (o.kind == "sgd")
    return std::make_unique<Sgd>(std::move(flat),
                                 SgdOptions{.momentum = o.momentum, .decay = o.decay, .nesterov = o.nesterov});
  check(Exit::usage, o.kind == "adam" || o.kind == "adamw", "--opt '{}': expected sgd, adam or adamw", o.kind);
  return std::make_unique<Adam>(std::move(flat), AdamOptions{.decay = o.decay, .decoupled = o.kind == "adamw"});
}

}  // namespace dactyl
