#include "train/plan_bar.h"

#include "kernels/plans.h"

namespace dactyl {
namespace {

// A linear layer is a convolution of single pixels to the search, an LSTM is two: of its steps' input and of its state.
i64 convolutions(const Model& model) {
  i64 n = 0;
  for (const auto& [name, kind] : model.kinds) n += kind == "conv" || kind == "linear" ? 1 : kind == "lstm" ? 2 : 0;
  return n;
}

}  // namespace

PlanBar::PlanBar(const std::string& what, const Model& model, i64 passes)
    : total_(convolutions(model) * passes), progress_(what, total_, "convolutions") {
  listen_to_plans([this](const std::string&, bool searched, const std::string&) {
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
