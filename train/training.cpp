// The loop: step, validate, save, until the plan is done or a signal comes.
#include "train/training.h"

#include <algorithm>
#include <cmath>

#include "train/data/nvjpeg_decoder.h"
#include "train/plan_bar.h"
#include "train/signals.h"
#include "train/training_step.h"

namespace dactyl {

Training::Training(const Subject& subject, const TrainOptions& options, const RunFolder& folder, const Log& log,
                   std::optional<SavedState> saved)
    : subject_(subject),
      options_(options),
      folder_(folder),
      log_(log),
      dtype_(options.precision == "bf16" ? DType::bf16 : DType::f32),
      saved_(std::move(saved)),
      decoder_(decoder_named(options.decode, Context::current().device())),
      random_(options.seed, Context::current().device()) {
  if (saved_) {
    state_ = saved_->state();
    saved_->pour(*subject_.model.parameters);
    saved_step_ = state_.step;
  }
  for (Parameter& p : subject_.model.parameters->all())
    if (subject_.model.in_head(p.name)) p.rate *= static_cast<float>(options_.head_lr_mult);
  prepare();
}

void Training::prepare() {
  const i64 samples = subject_.train.size();
  per_epoch_ = samples / std::min(options_.batch, samples);
  plan_ = plan_stages(options_.stages, per_epoch_);
  val_steps_ = steps_of(options_.val_every, per_epoch_);
  save_steps_ = steps_of(options_.save_every, per_epoch_);
  for (const StagePlan& stage : plan_)
    learns(subject_.model, stage.stage.what, options_.freeze);  // names checked early
  const std::vector<double> weights = class_weights(options_.class_weights, subject_.train.class_counts());
  folder_.write_class_weights(subject_.train.labels(), weights);
  if (options_.class_weights != "none")
    class_weights_ =
        Tensor::from({static_cast<i64>(weights.size())}, std::vector<float>(weights.begin(), weights.end()));
  train_log_.emplace(folder_ / "train.csv", "step,loss,accuracy,rate,samples_per_s,wait,memory", state_.step);
  val_log_.emplace(folder_ / "val.csv", "step,loss,accuracy,top5,macro_f1", state_.validated);
  board_ = std::make_unique<TensorBoard>(folder_.path(), state_.step);
}

TrainResult Training::run() {
  try {
    try {
      loop();
    } catch (const Stopped&) {
      result_.exit = Signals::stop();
      save();
      draw(true);
    }
    judge_input();
  } catch (const Diverged& bad) {
    explain(std::min(bad.step, plan_.back().end));
  }
  try {
    if (result_.exit == Exit::good) report();
  } catch (const Stopped&) {  // nothing is saved here: the net holds the best weights, the last state is on the disk
    result_.exit = Signals::stop();
  }
  result_.steps = state_.step;
  return result_;
}

void Training::loop() {
  if (saved_step_ < 0) save();  // from here on there is always a state to go back to
  for (;;) {
    if (validation_due()) {
      enter_stage(stage_of(state_.step - 1));
      validate();
    }
    if (save_due() || Signals::take_save()) try_save();
    if (Signals::stop() != Exit::good) throw Stopped{};
    if (done()) break;
    enter_stage(stage_of(state_.step));
    advance();
  }
  progress_.reset();
}

// A state may be beyond the plan's end if config.toml was made shorter since.
bool Training::done() const { return state_.stopped || state_.step >= plan_.back().end; }

std::size_t Training::stage_of(i64 step) const {
  std::size_t i = 0;
  while (i + 1 < plan_.size() && step >= plan_[i].end) ++i;
  return i;
}

bool Training::validation_due() const {
  const i64 step = state_.step;
  if (step == 0 || state_.validated == step || state_.stopped) return false;
  return step >= plan_.back().end || (val_steps_ > 0 && step % val_steps_ == 0);
}

bool Training::save_due() const {
  const i64 step = state_.step;
  if (saved_step_ == step) return false;
  return done() || (save_steps_ > 0 && step % save_steps_ == 0);
}

void Training::fetch() {
  if (feed_at_ != state_.step) feed_->start(state_.step / per_epoch_, state_.step % per_epoch_);
  const bool there = feed_->next();
  check(there, "training: the data ended at step {}, {} steps make an epoch", state_.step, per_epoch_);
  feed_at_ = state_.step + 1;
  if (feed_at_ % per_epoch_ == 0) feed_at_ = -1;  // the next epoch starts anew
}

void Training::compute() {
  const bool head_only = plan_[stage_].stage.what == "head";
  training_step(
      {[this](Pass& pass) { return feed_->forward(pass); }, feed_->labels(), *optimizer_, random_, book_->counters},
      {{class_weights_, options_.smoothing}, head_only || options_.bn == "frozen"});
}

// A stage's first step settles the plans of its convolutions.
void Training::launch() {
  std::optional<PlanBar> bar;
  if (!planned_ && Context::current().device().is_cuda()) bar.emplace("finding plans", subject_.model, 3);
  graph_ ? graph_->run() : compute();
  planned_ = true;
}

void Training::advance() {
  const StagePlan& plan = plan_[stage_];
  Schedule schedule = options_.schedule;
  schedule.warmup = steps_of(options_.warmup, per_epoch_);
  const double rate = schedule.rate(plan.stage.rate, state_.step - plan.first, plan.end - plan.first);
  fetch();
  if (rate != rate_) optimizer_->set_rate(rate_ = rate);
  launch();
  tell_eager();
  ++state_.step;
  book_->note(state_.step, rate, load_times().waited);
}

void Training::tell_eager() {
  if (!graph_ || graph_->why_eager().empty() || !why_eager_.empty()) return;  // said once, whatever stage follows
  why_eager_ = graph_->why_eager();
  log_.say("the step cannot be captured as a graph and runs operation by operation, slower: " + why_eager_);
}

void Training::take(const StepRow& row) {
  measured_ = true;
  waits_.add(row, load_times().stages);
  if (!std::isfinite(row.loss)) throw Diverged{row.step};
  char text[160];
  std::snprintf(text, sizeof text, "%ld,%.9g,%.6g,%.9g,%.4g,%.3f,%.1f", row.step, row.loss, row.accuracy, row.rate,
                row.samples_per_s, row.wait, static_cast<double>(memory()) / (1 << 20));
  train_log_->add(text);
  board_->scalar("train/loss", row.step, row.loss);
  board_->scalar("train/accuracy", row.step, row.accuracy);
  board_->scalar("train/rate", row.step, row.rate);
  if (progress_) progress_->advance(1, "loss " + to_text(row.loss));
  draw(false);
}

i64 Training::memory() const { return Context::current().pool()->peak() + (graph_ ? graph_->memory() : 0); }

}  // namespace dactyl
