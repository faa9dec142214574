// The step.
#include "train/training_step.h"

namespace dactyl {

void training_step(const StepParts& parts, const StepOptions& options) {
  parts.counters.detached().fill(0);
  parts.optimizer.zero_gradients();
  parts.random.call = 0;
  trace_done("zero");
  Tape tape;
  Pass pass{.training = true, .frozen_statistics = options.frozen_statistics, .random = &parts.random};
  const Scores scores = parts.forward(pass);
  Tensor loss = cross_entropy(scores.main, parts.labels, options.loss);
  const Tensor main_loss = loss.detached();
  for (const auto& [side, weight] : scores.auxiliary)
    loss = add(loss, cross_entropy(side, parts.labels, options.loss), weight);
  tape.backward(loss);
  parts.optimizer.step();
  trace_done("update");
  count_hits(parts.counters, main_loss, scores.main.detached(), parts.labels);
  increment(parts.random.step);
  trace_done("counters");
}

}  // namespace dactyl
