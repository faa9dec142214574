// The GPU's own passes of batch_norm over packs of 16 bytes; without CUDA there are none. Internal to the kernels.
#pragma once

#include "kernels/batch_norm.h"

namespace dactyl::fast {

// Whether x and y (or dy) lie so that a GPU can take whole packs of channels.
bool norms_by_packs(const NormArguments&, const Tensor& y);

void fit_batch(const NormArguments&);                   // mean and variance of x in one pass; fills fit
void normalise(const NormArguments&, const Tensor& y);  // with what fit holds
void fit_and_normalise(const NormArguments&, const Tensor& y);
void sum_gradients(const NormArguments&, const Tensor& dy, const NormSums& sums);
void gradient(const NormArguments&, const Tensor& dy, const NormSums& sums, const Tensor& dx);  // with the sums

// One to four tensors of the same type and rows, in the launches of one.
void fit_and_normalise(const std::vector<NormArguments>&, const std::vector<Tensor>& y);
void gradient(const std::vector<NormArguments>&, const std::vector<Tensor>& dy, const std::vector<NormSums>& sums,
              const std::vector<Tensor>& dx);

// Both steps of a direction in one launch, where x (and dy) fit into the shared memory of clusters of blocks and one
// launch is expected to be faster (cluster_split.h); else false, and nothing is done.
bool normalise_by_clusters(const NormArguments&, const Tensor& y);
bool gradient_by_clusters(const NormArguments&, const Tensor& dy, const NormSums& sums, const Tensor& dx);

}  // namespace dactyl::fast
