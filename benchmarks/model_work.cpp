// The pass, as predict and train make it.
#include "benchmarks/model_work.h"

#include <algorithm>
#include <cmath>

#include "train/inference.h"
#include "train/training_step.h"

namespace dactyl {

ModelWork::ModelWork(const ModelWorkOptions& options)
    : options_(options), model_(make_model(options.model, options.net)) {
  model_.to(Context::current().device());
  if (options.train) {
    prepare_training();
    return;
  }
  model_.parameters->to(options.dtype);
  x_ = random_numbers(model_.input.shape(options.batch), options.dtype, 1);
}

void ModelWork::prepare_training() {
  batch_.bytes = random_numbers(model_.input.shape(options_.batch), DType::u8, 1);
  std::vector<float> rows;
  for (i64 i = 0; i < options_.batch; ++i) rows.insert(rows.end(), {0, 0, 0, 0, 1, 1, 0, 0});
  batch_.geometry = Tensor::from({options_.batch, 8}, rows);
  batch_.labels = random_numbers({options_.batch}, DType::i32, 2, model_.classes);
  random_ = Random(1, Context::current().device());
  counters_ = Tensor::zeros({4}, DType::f64);
  model_.parameters->train_only([](const Parameter& p) { return !p.statistic; });
  optimizer_ = make_optimizer(options_.optimizer, model_.parameters->pack(options_.dtype));
  optimizer_->set_rate(1e-4);
}

void ModelWork::operator()() {
  Context::current().recompute = options_.recompute;
  if (options_.train) {
    const auto forward = [&](Pass& pass) { return model_.net(input_of(batch_, model_.input, options_.dtype), pass); };
    training_step({forward, batch_.labels, *optimizer_, random_, counters_}, {});
  } else {
    Pass pass;
    scores_ = model_.forward(x_, pass);
  }
}

double ModelWork::flops() const {
  const ModelTable table = tabulate(model_);
  double macs = static_cast<double>(table.macs);
  if (options_.train) {
    const auto first = std::find_if(table.rows.begin(), table.rows.end(), [](const LayerRow& r) { return r.macs > 0; });
    macs = 3 * macs - (first == table.rows.end() ? 0.0 : static_cast<double>(first->macs));
  }
  return 2 * macs * static_cast<double>(options_.batch);
}

double error_against_fp32(const ModelWorkOptions& options) {
  ModelWorkOptions plain = options;
  plain.train = false;
  ModelWork work(plain);
  work();
  const std::vector<float> scores = work.scores().floats();
  plain.dtype = DType::f32;
  const Math math = std::exchange(Context::current().math, Math::fp32);
  ModelWork wide(plain);
  wide();
  const std::vector<float> exact = wide.scores().floats();
  Context::current().math = math;
  double difference = 0, largest = 0;
  for (std::size_t i = 0; i < exact.size(); ++i) {
    check(Exit::numerics, std::isfinite(scores[i]), "bench: {}: a score is NaN or infinite", options.model);
    difference = std::max(difference, std::abs(double{scores[i]} - double{exact[i]}));
    largest = std::max(largest, std::abs(double{exact[i]}));
  }
  return largest > 0 ? difference / largest : difference;
}

}  // namespace dactyl
