// A bar while the plans of a net's GPU convolutions are settled, which takes minutes where no file knows them.
#pragma once

#include "nets/nets.h"
#include "train/progress.h"

namespace dactyl {

class PlanBar {
 public:
  // passes: in how many ways each convolution is computed (inference 1, a training step 3). Layers of one shape share a
  // plan, so the total is an upper bound. Listens to the plans while it lives; one at a time.
  PlanBar(const std::string& what, const Model& model, i64 passes);
  ~PlanBar();
  PlanBar(const PlanBar&) = delete;
  PlanBar& operator=(const PlanBar&) = delete;

 private:
  i64 total_, done_ = 0, searched_ = 0;
  Progress progress_;
};

}  // namespace dactyl
