// Entering a stage: what learns, with which optimiser, from pictures or from stored features.
#include <algorithm>

#include "kernels/ops.h"
#include "train/settings.h"
#include "train/signals.h"
#include "train/training.h"

namespace dactyl {

LoaderOptions Training::loader_options(bool training) const {
  return {.batch = options_.batch,
          .threads = options_.threads,
          .input = subject_.model.input,
          .augment = options_.augment,
          .training = training,
          .seed = options_.seed,
          .bad_limit = options_.bad_limit,
          .never_mirrored = subject_.never_mirrored,
          .cache_bytes = options_.picture_memory << 20,
          .device = Context::current().device(),
          .decoder = training ? decoder_ : nullptr};
}

bool Training::wants_features(std::size_t index) const {
  if (plan_[index].stage.what != "head" || options_.cache_views == 0) return false;
  const bool plain = to_text(options_.augment) == to_text(AugmentOptions{}) && subject_.model.auxiliary.empty();
  return options_.cache_views > 0 || plain;
}

void Training::enter_stage(std::size_t index) {
  if (stage_ == index) return;
  if (book_) book_->flush();
  judge_input();
  waits_ = WaitMeter(per_epoch_);
  graph_.reset();
  if (feed_) load_before_ += feed_->times();
  feed_.reset();
  feed_at_ = -1;
  rate_ = -1;
  planned_ = false;
  stage_ = index;
  const StagePlan& plan = plan_[index];
  subject_.model.parameters->train_only(learns(subject_.model, plan.stage.what, options_.freeze));
  optimizer_ = make_optimizer(options_.optimizer, subject_.model.parameters->pack(dtype_));
  if (saved_ && saved_->state().stage == static_cast<i64>(index)) saved_->pour(*optimizer_);
  saved_.reset();
  state_.stage = static_cast<i64>(index);
  random_.step.fill(static_cast<double>(state_.step));
  tell_stage(index);
  on_features_ = wants_features(index);
  if (on_features_)
    use_features(index);
  else
    feed_ = picture_feed(subject_.model, subject_.train, loader_options(true), dtype_);
  graph_ = options_.graph ? std::make_unique<Graph>([this] { compute(); }) : nullptr;
  if (!book_) book_ = std::make_unique<StepBook>([this](const StepRow& row) { take(row); });
  book_->restart();
  progress_ = std::make_unique<Progress>(plan.stage.what, plan.end - state_.step, "steps");
}

void Training::use_features(std::size_t index) {
  const i64 views = std::max(options_.cache_views, 1);
  const std::string path = folder_ / "features.safetensors";
  const std::string key = "stage " + to_text(index) + ", " + to_text(views) + " views";
  if (!read_features(path, key, train_features_, val_features_)) {
    const i64 all = views * subject_.train.size() + subject_.validation.size();
    log_.say("computing the frozen layers' features once: " + to_text(all) + " pictures");
    Progress progress("features", all, "pictures");
    const Advance advance = [&](i64 n) { progress.advance(n); };
    train_features_ = compute_features(subject_.model, subject_.train, loader_options(true), views, dtype_, advance);
    val_features_ = compute_features(subject_.model, subject_.validation, loader_options(false), 1, dtype_, advance);
    keep_features(path, key);
  }
  feed_ = feature_feed(subject_.model, subject_.train, train_features_, loader_options(true), dtype_);
}

// Only a resumed run reads them, and it can compute them again: a full disk is no reason to end here.
void Training::keep_features(const std::string& path, const std::string& key) const {
  try {
    write_features(path, key, train_features_, val_features_);
  } catch (const Error& error) {
    if (error.exit() != Exit::data) throw;
    log_.say(std::string("the features are not kept for a resumed run: ") + error.what());
  }
}

void Training::tell_stage(std::size_t index) const {
  const StagePlan& plan = plan_[index];
  const Parameters& parameters = *subject_.model.parameters;
  log_.say("stage " + to_text(index + 1) + " of " + to_text(plan_.size()) + ": " + to_text(plan.stage) + ", " +
           to_text(plan.end - plan.first) + " steps of " + to_text(std::min(options_.batch, subject_.train.size())) +
           ", " + to_text(parameters.count(true)) + " of " + to_text(parameters.count()) + " parameters learn");
}

}  // namespace dactyl
