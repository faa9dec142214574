// One run of training from its first step, or from a saved state, to its report.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "train/data_wait.h"
#include "train/features.h"
#include "train/log.h"
#include "train/plot.h"
#include "train/progress.h"
#include "train/run_folder.h"
#include "train/stage_plan.h"
#include "train/step_book.h"
#include "train/step_log.h"
#include "train/tensorboard.h"
#include "train/training_state.h"

namespace dactyl {

// What is trained, on what. The model is on the current device.
struct Subject {
  Model& model;
  const DataSource &train, &validation;
  Passport passport;                   // of the files to be written
  std::vector<bool> never_mirrored{};  // by label: classes whose meaning a mirror would change
};

class Training {
 public:
  Training(const Subject& subject, const TrainOptions& options, const RunFolder& folder, const Log& log,
           std::optional<SavedState> saved = {});
  TrainResult run();  // a Signals is alive: its questions are asked between two steps

  // For checks, in place of run(): the plan's next step alone, nothing validated or saved; waits for the device.
  StepRow single_step();
  bool done() const;      // no step is left
  bool captured() const;  // the last step was a replay
  const std::string& why_eager() const { return why_eager_; }
  Optimizer& optimizer() { return *optimizer_; }  // of the last step's stage

 private:
  struct Diverged {
    i64 step;
  };

  void prepare();
  void loop();
  std::size_t stage_of(i64 step) const;  // to which the step after so many belongs
  bool validation_due() const;
  bool save_due() const;

  void enter_stage(std::size_t index);
  void use_features(std::size_t index);
  void keep_features(const std::string& path, const std::string& key) const;
  bool wants_features(std::size_t index) const;
  LoaderOptions loader_options(bool training) const;
  void tell_stage(std::size_t index) const;

  void fetch();                   // the batch of state_.step
  void compute();                 // the step's work on the device: what a graph captures
  void launch();                  // compute, eagerly or as a graph
  void advance();                 // fetch, launch, note
  void tell_eager();              // where a graph is wanted and cannot be had, once
  void take(const StepRow& row);  // a measured step to train.csv and the curves

  void validate();
  void require_finite() const;  // throws Diverged
  void save();
  void try_save();  // a full disk does not end the run while a state is there and more saves will come
  bool save_best();
  void draw(bool last);
  LoadTimes load_times() const;  // of all feeds
  void judge_input();            // says whether the device waited for data in this stage
  void tell_decoded();           // where it decoded: how much of it, once
  void report();
  [[noreturn]] void explain(i64 bad_step);  // finds the operation that made the first NaN
  i64 memory() const;                       // bytes

  Subject subject_;
  const TrainOptions& options_;
  const RunFolder& folder_;
  const Log& log_;
  DType dtype_;
  TrainingState state_;
  std::optional<SavedState> saved_;  // what a resumed run starts from, until its stage is entered
  i64 saved_step_ = -1;

  std::shared_ptr<PlaneDecoder> decoder_;  // of pictures to learn from; null: the host
  Random random_;
  Tensor class_weights_;
  i64 per_epoch_ = 0, val_steps_ = 0, save_steps_ = 0;
  std::vector<StagePlan> plan_;
  std::optional<StepLog> train_log_, val_log_;
  std::unique_ptr<TensorBoard> board_;
  std::unique_ptr<Progress> progress_;
  Plot curves_;
  std::chrono::steady_clock::time_point drawn_{};
  bool measured_ = false;  // train.csv has a row of this process: there is something to draw

  std::size_t stage_ = SIZE_MAX;
  bool on_features_ = false;
  bool planned_ = false;  // this stage's convolutions have met their shapes
  Features train_features_, val_features_;
  std::unique_ptr<Optimizer> optimizer_;
  std::unique_ptr<StepBook> book_;
  StepRow single_;  // of single_step
  std::unique_ptr<Feed> feed_;
  std::unique_ptr<Graph> graph_;
  std::string why_eager_;  // of the first graph that could not be captured
  i64 feed_at_ = -1;       // the step whose batch the feed gives next; −1: it must be started
  double rate_ = -1;
  LoadTimes load_before_;  // of former feeds
  WaitMeter waits_{1};
  TrainResult result_;
};

}  // namespace dactyl
