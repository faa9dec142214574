// SGD with momentum and Adam over the flat buffer; their state as named tensors.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "kernels/ops.h"

namespace dactyl {

class Optimizer {
 public:
  virtual ~Optimizer() = default;
  virtual void step() = 0;     // one kernel; reads `rate` on the device
  void set_rate(double rate);  // queued on the compute stream
  void zero_gradients();
  virtual std::vector<std::pair<std::string, Tensor>> state() = 0;  // for the checkpoint, by name
  const Flat& flat() const { return flat_; }

 protected:
  explicit Optimizer(Flat flat);
  Flat flat_;
  Tensor rate_;  // f32 (1), on the device
};

struct OptimizerOptions {
  std::string kind = "sgd";  // sgd, adam, adamw
  double momentum = 0.9, decay = 0;
  bool nesterov = false;
};
std::unique_ptr<Optimizer> make_optimizer(const OptimizerOptions&, Flat flat);  // unknown kind: usage error

}  // namespace dactyl
