// Local response normalisation by packs of 16 bytes of channels, on either device; a GPU takes it where it fits.
// Internal to the kernels.
#pragma once

#include "kernels/ops.h"

namespace dactyl::fast {

// Whether dense rows of channels can be normalised by packs: five channels, the size of AlexNet and GoogLeNet.
bool lrn_by_packs(const Tensor& x, const LrnOptions&);

void lrn_forward(const Tensor& x, const Tensor& y, const LrnOptions&);

// Whether a thread can take two neighbouring packs on the way back, and whether there are enough of them to be worth
// it: the powers of 4 channels beside its own are computed for 16 bf16 numbers instead of 8.
bool lrn_fits_pairs(const Tensor& x);
bool lrn_wants_pairs(const Tensor& x);

void lrn_backward(const Tensor& x, const Tensor& dy, const Tensor& dx, const LrnOptions&, bool pairs);

}  // namespace dactyl::fast
