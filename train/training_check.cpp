// Steps one by one, for those who compare two trainings.
#include "train/training.h"

namespace dactyl {

StepRow Training::single_step() {
  if (!book_) book_ = std::make_unique<StepBook>([this](const StepRow& row) { single_ = row; });
  enter_stage(stage_of(state_.step));
  progress_.reset();  // who compares has one
  advance();
  book_->flush();
  return single_;
}

bool Training::captured() const { return graph_ && graph_->captured(); }

}  // namespace dactyl
