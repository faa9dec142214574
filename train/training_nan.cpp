// Numbers that are none: which operation made the first one.
#include "train/training.h"

namespace dactyl {

// Goes back to the saved state, which is good, and repeats the steps up to the bad one; the last two with every
// operation's result and gradient examined, since a NaN gradient of one step is the NaN loss of the next.
void Training::explain(i64 bad_step) {
  progress_.reset();
  log_.say("the loss of step " + to_text(bad_step) + " is NaN or infinite; looking for the operation it comes from");
  const std::string advice = "; no checkpoint was overwritten; a lower rate, --warmup, or other data may help";
  saved_.emplace(folder_ / "last.state");
  state_ = saved_->state();
  saved_->pour(*subject_.model.parameters);
  graph_.reset();
  book_ = std::make_unique<StepBook>([](const StepRow&) {});
  stage_ = SIZE_MAX;
  try {
    while (state_.step < bad_step) {
      enter_stage(stage_of(state_.step));
      graph_.reset();
      Context::current().check_finite = state_.step + 2 >= bad_step;
      advance();
    }
  } catch (const Error& error) {
    if (error.exit() != Exit::numerics) throw;
    throw Error(Exit::numerics, "training: step " + to_text(state_.step + 1) + ": " + error.what() + advice);
  }
  throw Error(Exit::numerics, "training: step " + to_text(bad_step) + ": the loss is NaN or infinite" + advice);
}

}  // namespace dactyl
