// Where a run stands, as one file from which it goes on with the same bits.
#pragma once

#include <string>
#include <vector>

#include "engine/parameters.h"
#include "train/data/loader.h"
#include "train/optimizer.h"
#include "weights/checkpoint.h"
#include "weights/passport.h"

namespace dactyl {

struct TrainingState {
  i64 step = 0;          // steps done; epoch, batch and random numbers follow from it
  i64 stage = -1;        // whose optimiser's state is kept; −1: none
  i64 validated = -1;    // the step of the last validation
  i64 best_step = -1;    // the step of the best one
  double best = -1;      // its metric
  i64 without_gain = 0;  // validations since then
  bool stopped = false;  // ended early
  std::vector<BadSample> bad;
};

// One checksummed file with all numbers: a kill at any moment leaves the former or the new state, never a mixture.
void write_state(const std::string& path, const TrainingState& state, const Parameters& parameters,
                 Optimizer* optimizer, const Passport& passport);

// Reads such a file back. Exit::model_file if it is damaged or of another net.
class SavedState {
 public:
  explicit SavedState(const std::string& path);
  const TrainingState& state() const { return state_; }
  Passport passport() const { return Passport::from_notes(file_.notes); }  // of the model in training
  void pour(Parameters& parameters) const;
  void pour(Optimizer& optimizer) const;

 private:
  void copy(const std::string& name, Tensor to) const;
  Checkpoint file_;
  TrainingState state_;
};

}  // namespace dactyl
