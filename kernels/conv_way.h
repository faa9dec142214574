// The ways to compute a convolution on the GPU. For .cu files of the GPU build only.
#pragma once

#ifdef __CUDACC__
#include "kernels/conv_packing.h"
#include "kernels/cublaslt.h"
#include "kernels/cudnn_plan.h"
#include "kernels/hopper/few_places_tile.h"
#include "kernels/hopper/implicit_tile.h"
#include "kernels/hopper/implicit_weights_tile.h"

namespace dactyl {

class ConvWay {
 public:
  explicit ConvWay(std::string name) : name_(std::move(name)) {}
  virtual ~ConvWay() = default;

  // Queues the problem's pass on the compute stream. False, said by cuDNN's last error, if it refuses; throws for
  // others.
  virtual bool run(const ConvProblem& problem, const ConvTensors& tensors) const = 0;
  // What another process may build it from without compiling; empty if there is no such thing.
  virtual std::string compiled() const { return ""; }
  const std::string& name() const { return name_; }  // by which a file remembers it

 private:
  std::string name_;
};
using OwnedWay = std::unique_ptr<ConvWay>;

OwnedWay cudnn_way(Plan plan);
OwnedWay columns_way();   // "columns"
OwnedWay few_rows_way();  // "few rows": of a linear layer, by our own kernel
// "gemm …": one matrix product by one algorithm of cuBLASLt.
OwnedWay gemm_way(std::shared_ptr<const LtProduct> product, LtAlgorithm algorithm);
// "placed": a problem whose y is a slice, by `dense` in memory of its own and a copy between the two.
OwnedWay placed_way(const ConvWay& dense);
// "stem": hopper/stem.h; null for other problems and GPUs.
OwnedWay stem_way(const ConvProblem& problem);
// "implicit …": hopper/implicit.h, by a tile, "256x192 by rows".
OwnedWay implicit_way(const hopper::ImplicitTile& tile);
// The tiles of the implicit ways worth trying, the most promising first; none for other problems and GPUs.
std::vector<hopper::ImplicitTile> implicit_tiles(const ConvProblem& problem);
// "few places …": hopper/few_places.h, by a tile, "64x32 in 4 parts" (hopper::few_places_tiles).
OwnedWay few_places_way(const hopper::FewPlacesTile& tile);
// "implicit weights …": hopper/implicit_weights.h, by a tile, "128x96 in 7 parts"; and those worth trying.
OwnedWay implicit_weights_way(const hopper::WeightsTile& tile);
std::vector<hopper::WeightsTile> implicit_weights_tiles(const ConvProblem& problem);
// Of these three kinds the one of that name; null if the problem has none.
OwnedWay tiled_way_named(const ConvProblem& problem, const std::string& name);
// "apart": the sums by `plain`, then bias and relu in a pass of their own.
OwnedWay apart_way(const ConvWay& plain);
ConvProblem without_epilogue(const ConvProblem& problem);
// "added": the same without the sum, by `plain` in memory of its own, then a pass that adds.
OwnedWay added_way(const ConvWay& plain);
// "packed …": the packed problem by `inner`.
OwnedWay packed_way(const Packing& packing, const ConvWay& inner);

}  // namespace dactyl
#endif
