// A net's inference, or a whole training step, on random data that is on the device.
#pragma once

#include <memory>

#include "benchmarks/timing.h"
#include "nets/nets.h"
#include "train/data/loader.h"
#include "train/optimizer.h"

namespace dactyl {

struct ModelWorkOptions {
  std::string model = "googlenet";
  ModelOptions net{.auxiliary = false};
  i64 batch = 1;
  bool recompute = false;      // in training: Context::recompute
  bool train = false;          // forward, loss, backward, update, as train/training_step.h has it
  DType dtype = DType::f32;    // of inference's weights and activations; in training of the activations
  OptimizerOptions optimizer;  // momentum SGD
};

class ModelWork {
 public:
  explicit ModelWork(const ModelWorkOptions& options);  // on the current device
  void operator()();
  const Model& model() const { return model_; }
  const Tensor& scores() const { return scores_; }  // of the last pass of inference (N, classes)
  // Floating-point operations of one pass: of training the gradients too, but for that of the picture.
  double flops() const;

 private:
  void prepare_training();

  ModelWorkOptions options_;
  Model model_;
  Tensor x_, scores_, counters_;
  Batch batch_;
  Random random_;
  std::unique_ptr<Optimizer> optimizer_;
};

// The largest difference of the scores to those in fp32, over the largest of these, on the same numbers.
double error_against_fp32(const ModelWorkOptions& options);

}  // namespace dactyl
