// Three operations of I3D, each from a naive kernel to a fast one: what every rung gives, and whether it is right.
#pragma once

#include "benchmarks/ladder/rung.h"
#include "kernels/descriptor.h"

namespace dactyl {

std::vector<std::string> ladder_names();  // conv3d, max_pool3d, batch_norm3d
// I3D's layer of 20 frames with so many clips (0: as many as measure well), and a small one with odd extents, for
// checks.
Descriptor ladder_layer(const std::string& name, i64 batch);
Descriptor small_ladder_layer(const std::string& name);

struct LadderInputs {
  Tensor x, w, gamma, beta, mean, var;  // w of the convolution, the others but x of the normalisation
};

// On random numbers on the current device. Throws for a layer that the rungs do not compute: they are of 3×3×3 windows
// with stride 1 and one zero of padding, or of normalisation by the batch's statistics with ReLU; of bf16 and channels
// that are multiples of 8.
class Ladder {
 public:
  explicit Ladder(const Descriptor& layer);
  const Descriptor& layer() const { return layer_; }
  // From the bottom up; behind them the engine's own operation and, on a GPU, cuDNN's.
  const std::vector<ladder::Rung>& rungs() const { return rungs_; }
  // Runs a rung on memory full of NaN: the largest difference to the plain loops in f64, over their largest number;
  // infinity where a number is missing. Waits.
  double error(const ladder::Rung& rung) const;
  double limit() const;  // what rounding to bf16 explains; a maximum is not rounded

 private:
  void add_others();

  Descriptor layer_;
  LadderInputs inputs_;
  Tensor y_, want_;
  std::vector<ladder::Rung> rungs_;
};

// cuDNN's own operation, of the GPU build: throws when run if cuDNN has none.
ladder::Rung cudnn_rung(const Descriptor& layer, const LadderInputs& in, const Tensor& y);

namespace ladder {
// The largest |got − want|, over the largest |want|; infinity if a number is NaN. got bf16, want f64, dense, on one
// device.
double largest_difference(const Tensor& got, const Tensor& want);
}  // namespace ladder

}  // namespace dactyl
