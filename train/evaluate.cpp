// A model's predictions over a source.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "kernels/ops.h"
#include "train/inference.h"
#include "train/trainer.h"

namespace dactyl {

Tensor input_of(const Batch& batch, const InputSpec& input, DType dtype) {
  return pixels(
      batch.bytes, batch.geometry,
      {.height = input.height, .width = input.width, .mean = input.mean, .scale = input.scale, .dtype = dtype});
}

Prediction predicted(const std::string& name, int label, const float* logits, i64 classes) {
  check(Exit::numerics, std::all_of(logits, logits + classes, [](float v) { return std::isfinite(v); }),
        "evaluate: {}: the model's scores are NaN or infinite", name);
  std::vector<int> order(static_cast<std::size_t>(classes));
  std::iota(order.begin(), order.end(), 0);
  const auto before = [&](int a, int b) { return logits[a] != logits[b] ? logits[a] > logits[b] : a < b; };
  const auto best = std::min<std::ptrdiff_t>(5, classes);
  std::partial_sort(order.begin(), order.begin() + best, order.end(), before);
  double sum = 0;
  for (i64 c = 0; c < classes; ++c) sum += std::exp(static_cast<double>(logits[c]) - logits[order[0]]);
  Prediction p{name, label, {order.begin(), order.begin() + best}, {}, {}};
  for (const int c : p.top) {
    p.logit.push_back(logits[c]);
    p.p.push_back(static_cast<float>(std::exp(static_cast<double>(logits[c]) - logits[order[0]]) / sum));
  }
  if (label >= 0 && label < classes) p.loss = std::log(sum) - (static_cast<double>(logits[label]) - logits[order[0]]);
  return p;
}

std::vector<Prediction> evaluate(const Model& model, const DataSource& source, i64 batch_size, Device device,
                                 DType dtype, std::vector<BadSample>* bad, int threads,
                                 const std::function<void(i64 done, i64 all)>& progress) {
  check(Context::current().device() == device, "evaluate: {} is asked for, {} is current", device,
        Context::current().device());
  // Every picture is needed once: nothing to keep.
  Loader loader(source, {.batch = std::min(batch_size, source.size()),
                         .threads = threads,
                         .input = model.input,
                         .cache_bytes = 0,
                         .device = device});
  std::vector<Prediction> predictions;
  i64 done = 0;
  loader.start(0);
  for (Batch batch; loader.next(batch);) {
    Pass pass;
    const Tensor scores = model.forward(input_of(batch, model.input, dtype), pass);
    const std::vector<float> logits = scores.floats();
    const i64 classes = scores.shape().channels();
    for (std::size_t row = 0; row < batch.samples.size(); ++row)
      if (const i64 i = batch.samples[row]; i >= 0)
        predictions.push_back(
            predicted(source.name(i), source.label(i), logits.data() + static_cast<i64>(row) * classes, classes));
    done = std::min<i64>(done + static_cast<i64>(batch.samples.size()), source.size());
    if (progress) progress(done, source.size());
  }
  if (bad) *bad = loader.bad();
  return predictions;
}

}  // namespace dactyl
