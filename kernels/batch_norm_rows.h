// batch_norm of f32 on the host, whole rows of channels at a time. Internal to the kernels.
#pragma once

#include "kernels/batch_norm.h"

namespace dactyl {

bool norms_by_rows(const NormArguments& a);

// Statistics of the batch into a.fit, and the running ones moved towards them.
void fit_rows(const NormArguments& a);
void normalise_rows(const NormArguments& a, const Tensor& y);
void sum_gradient_rows(const NormArguments& a, const Tensor& dy, const NormSums& sums);
void normalise_gradient_rows(const NormArguments& a, const Tensor& dy, const NormSums& sums, const Tensor& dx);

}  // namespace dactyl
