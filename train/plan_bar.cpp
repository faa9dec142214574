#include "train/plan_bar.h"

#include <algorithm>

#include "kernels/plans.h"

namespace dactyl {
namespace {

i64 convolutions(const Model& model) {
  return std::count_if(model.kinds.begin(), model.kinds.end(),
                       [](const auto& layer) { return layer.second == "conv"; });
}

}  // namespace

PlanBar::PlanBar(const std::string& what, const Model& model, i64 passes)
    : total_(convolutions(model) * passes), progress_(what, total_, "convolutions") {
  listen_to_plans([this](const std::string&, bool searched) {
    ++done_;
    searched_ += searched;
    progress_.advance(1, to_text(searched_) + " searched");
  });
}

// Fills the bar, if anything was in it.
PlanBar::~PlanBar() {
  listen_to_plans({});
  if (done_ > 0 && done_ < total_) progress_.advance(total_ - done_);
}

}  // namespace dactyl
