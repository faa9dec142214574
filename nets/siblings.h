// Several convolutions of one input as one.
#pragma once

#include "nets/layers.h"

namespace dactyl {

// Units with the same kernel on the same input. While they are normalised their convolutions are one, which reads the
// input once; its weights are not copied together if the units were made one after the other, so that they are
// neighbours in a packed buffer. Else each unit computes on its own, when it is asked.
class Siblings {
 public:
  Siblings(const Tensor& x, Pass& pass, std::vector<const ConvUnit*> units);
  Tensor operator()(std::size_t unit, const Tensor& into = {}) const;

 private:
  Tensor x_;
  Pass& pass_;
  std::vector<const ConvUnit*> units_;
  std::vector<Tensor> convolved_;  // of each unit, or none
};

}  // namespace dactyl
