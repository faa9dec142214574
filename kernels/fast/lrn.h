// Local response normalisation by packs of 16 bytes of channels, on either device; a GPU takes it where it fits.
// Internal to the kernels.
#pragma once

#include "kernels/ops.h"

namespace dactyl::fast {

// Whether dense rows of channels can be normalised by packs: five channels, the size of AlexNet and GoogLeNet.
bool lrn_by_packs(const Tensor& x, const LrnOptions&);

void lrn_forward(const Tensor& x, const Tensor& y, const LrnOptions&);
void lrn_backward(const Tensor& x, const Tensor& dy, const Tensor& dx, const LrnOptions&);

}  // namespace dactyl::fast
