// One convolution, and one normalisation, for several units.
#include "nets/siblings.h"

namespace dactyl {

std::vector<Tensor> convolved_together(const Tensor& x, const std::vector<const ConvUnit*>& units) {
  std::vector<Tensor> weights;
  std::vector<i64> widths;
  for (const ConvUnit* unit : units) {
    weights.push_back(in_type_of(*unit->weight_, x));
    widths.push_back(weights.back().shape()[0]);
  }
  const Range range(units.front()->name_);
  return split(conv(x, concat_rows(weights), {.window = units.front()->kernel_.on(x.shape())}), widths);
}

// One by one where each is timed, or named in an error, by itself.
std::vector<Tensor> normalised_together(const std::vector<Convolved>& parts, Pass& pass) {
  std::vector<Tensor> y;
  if (tracing() || Context::current().check_finite) {
    for (const auto& [unit, z, into] : parts) {
      const Range range(unit.name_);
      y.push_back(unit.normalised(z, pass, into));
    }
    return y;
  }
  std::vector<NormInput> inputs;
  for (const auto& [unit, z, into] : parts) inputs.push_back(unit.norm_input(z, pass, into));
  y = batch_norms(inputs);
  for (std::size_t i = 0; i < parts.size(); ++i) y[i] = parts[i].unit.activated(y[i], pass);
  return y;
}

}  // namespace dactyl
