#include "train/tune.h"

#include <chrono>

#include "kernels/ops.h"
#include "kernels/plans.h"
#include "train/plan_bar.h"

namespace dactyl {
namespace {

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

}  // namespace

TuneResult tune(Model& model, const TuneOptions& o) {
  const auto start = std::chrono::steady_clock::now();
  const PlanCounts before = plan_counts();
  model.to(Context::current().device());
  {
    const PlanBar bar("tuning", model, o.training ? 4 : 1);  // inference, and the three passes of training
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
