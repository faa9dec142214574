// The GPU's own kernels for two steps of Farnebäck's flow; without CUDA there are none. Internal to the kernels.
#pragma once

#include "kernels/flow_farneback_steps.h"

namespace dactyl::farneback {

void expand_fast(const Tensor& image, const Fit&, const Tensor& polynomials);
void solve_windows_fast(const Tensor& m, const WindowSum&, const Tensor& flow);

}  // namespace dactyl::farneback
