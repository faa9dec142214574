// The operations `dactyl check` examines, each with small inputs.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "kernels/ops.h"

namespace dactyl {

struct CheckCase {
  std::string name;           // "conv groups"
  std::vector<Shape> inputs;  // drawn at random, all of one floating-point type, all differentiable
  std::function<Tensor(const std::vector<Tensor>&)> op;
};
const std::vector<CheckCase>& check_cases();

// The worst difference between derivative and central difference in f64 on the CPU, over the largest slope.
double gradient_error(const CheckCase& c, std::uint64_t seed);
// The worst difference between the CPU's and the device's values and gradients in f32, over the largest of each.
double agreement_error(const CheckCase& c, std::uint64_t seed, Device device);

}  // namespace dactyl
