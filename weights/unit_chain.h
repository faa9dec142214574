// I3D's units as they follow each other, each a convolution and a normalisation whose scale can move on to the next.
// Internal to inflation.
#pragma once

#include "engine/parameters.h"

namespace dactyl {

using Numbers = std::vector<float>;

// y = relu((w*x − mean)/√(var + ε)·gamma + beta); the inputs are the last axis of w, the outputs the first.
struct ScaledUnit {
  Shape shape;
  Numbers w, gamma, beta, mean, var;
};

// Each input channel times its scale.
void scale_inputs(ScaledUnit& unit, const Numbers& scales);

// I3D does not scale: relu(γ·x̂ + β) = |γ|·relu(±x̂ + β/|γ|). The sign goes into filter and mean, |γ| is returned for the
// filters that read this channel; pools in between let it pass. With γ = 0 the channel is constant.
Numbers without_gamma(ScaledUnit& unit);

// Calls unit(index into i3d_units, scales of its inputs) in the net's order; it returns the scales of its outputs. The
// result: the scales of what the head reads. `in`: those of the clip's channels.
Numbers along_units(const std::function<Numbers(std::size_t, const Numbers&)>& unit, Numbers in);

// By name; throw if the store has no such tensor or another number of values.
Numbers numbers_of(const Parameters& store, const std::string& name);
void set_numbers(Parameters& store, const std::string& name, const Numbers& values);

}  // namespace dactyl
