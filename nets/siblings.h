// Units of a block side by side: several convolutions of one input as one, and several normalisations in one step.
#pragma once

#include "nets/layers.h"

namespace dactyl {

// The convolutions of units with the same kernel and one group, which read the input x once. Their weights are not
// copied together if the units were made one after the other, so that they are neighbours in a packed buffer. Only for
// units that normalise (ConvUnit::normalises).
std::vector<Tensor> convolved_together(const Tensor& x, const std::vector<const ConvUnit*>& units);

// What is still to be normalised by a unit, and where the result goes.
struct Convolved {
  const ConvUnit& unit;
  Tensor z, into;
};
std::vector<Tensor> normalised_together(const std::vector<Convolved>& parts, Pass& pass);

}  // namespace dactyl
