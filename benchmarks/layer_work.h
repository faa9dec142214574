// A described layer as work that can be timed, pass by pass and implementation by implementation.
#pragma once

#include <string>
#include <vector>

#include "benchmarks/roofs.h"
#include "benchmarks/timing.h"
#include "kernels/descriptor.h"

namespace dactyl {

enum class LayerPass {
  forward,
  data,
  weights,
  both
};  // data, weights: one gradient alone; both: forward and all gradients
std::string to_text(LayerPass);
std::string to_text(Algorithm);  // automatic, reference, library

class LayerWork {
 public:
  // On random numbers on the current device, under the descriptor's Math. Usage error for a pass that the kind has not,
  // or a library that it has not: only convolutions and linear layers have one.
  LayerWork(const Descriptor& layer, LayerPass pass, Algorithm algorithm);
  void operator()();
  const Tensor& result() const { return result_; }  // of the last run: y, dx or dw

 private:
  Tensor forward() const;
  void backward();

  Descriptor layer_;
  LayerPass pass_;
  Algorithm algorithm_;
  CacheSweep sweep_;
  Tensor x_, w_, bias_, gamma_, mean_, var_, wide_, dy_, result_;
};

// Milliseconds of the pass alone in each repetition; its operands are not in a GPU's second-level cache beforehand.
std::vector<double> time_layer(const Descriptor& layer, LayerPass pass, Algorithm algorithm, const TimingOptions&);
// The largest difference to the reference's result, over the reference's largest number.
double layer_error(const Descriptor& layer, LayerPass pass, Algorithm algorithm);

// Floating-point operations, and bytes that must move at least if nothing stays in caches between passes over a tensor.
// recorded: the forward pass of a training, which notes where maxima came from; always so in `both`.
double layer_flops(const Descriptor& layer, LayerPass pass);
double layer_bytes(const Descriptor& layer, LayerPass pass, bool recorded = false);

// Of the traced milliseconds of a run, those that belong to the work: not the sweeps, not the seed of a gradient.
std::vector<double> work_ms(const std::vector<OperationTimes>& all, bool backward_only);
// A loss whose gradient with respect to y is dy.
Tensor seeded(const Tensor& y, const Tensor& dy);

}  // namespace dactyl
