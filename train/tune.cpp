#include "train/tune.h"

#include <chrono>

#include "kernels/ops.h"
#include "kernels/plans.h"
#include "train/progress.h"

namespace dactyl {
namespace {

// For a bar: convolutions, and each of them up to four times (inference, and three passes of training). Layers of one
// shape share a plan, so this is an upper bound.
i64 most_problems(const Model& model, bool training) {
  i64 convolutions = 0;
  for (const LayerRow& row : tabulate(model).rows) convolutions += row.kind == "conv";
  return convolutions * (training ? 4 : 1);
}

Tensor input(const Model& model, const TuneOptions& o) { return Tensor::zeros(model.input.shape(o.batch), o.dtype); }

void train_once(const Model& model, const TuneOptions& o) {
  Random random(1, Context::current().device());
  Tape tape;
  Pass pass{.training = true, .random = &random};
  const Scores scores = model.net(input(model, o), pass);
  const Tensor labels = Tensor::from({o.batch}, std::vector<std::int32_t>(static_cast<std::size_t>(o.batch), 0));
  Tensor loss = cross_entropy(scores.main, labels);
  for (const auto& [side, weight] : scores.auxiliary) loss = add(loss, cross_entropy(side, labels), weight);
  tape.backward(loss);
}

// Tells the bar of every settled problem; fills it at the end.
class Bar {
 public:
  explicit Bar(i64 total) : total_(total), progress_("tuning", total, "convolutions") {
    listen_to_plans([this](const std::string&, bool searched) {
      ++done_;
      searched_ += searched;
      progress_.advance(1, to_text(searched_) + " searched");
    });
  }
  ~Bar() {
    listen_to_plans({});
    if (done_ < total_) progress_.advance(total_ - done_);
  }
  Bar(const Bar&) = delete;
  Bar& operator=(const Bar&) = delete;

 private:
  i64 total_, done_ = 0, searched_ = 0;
  Progress progress_;
};

}  // namespace

TuneResult tune(Model& model, const TuneOptions& o) {
  const auto start = std::chrono::steady_clock::now();
  const PlanCounts before = plan_counts();
  model.to(Context::current().device());
  {
    const Bar bar(most_problems(model, o.training));
    if (o.training) train_once(model, o);
    model.parameters->to(o.dtype);
    Pass pass;
    model.forward(input(model, o), pass);
    Context::current().compute().synchronize();
  }
  const PlanCounts after = plan_counts();
  return {after.searched - before.searched, after.remembered - before.remembered, after.without - before.without,
          std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(),
          after.seconds - before.seconds};
}

}  // namespace dactyl
