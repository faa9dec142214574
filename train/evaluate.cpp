// A model's predictions over a source.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "kernels/ops.h"
#include "train/inference.h"
#include "train/trainer.h"

namespace dactyl {

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
  Prediction p{name, label, {order.begin(), order.begin() + best}, {}, {}, 0, {logits, logits + classes}};
  for (const int c : p.top) {
    p.logit.push_back(logits[c]);
    p.p.push_back(static_cast<float>(std::exp(static_cast<double>(logits[c]) - logits[order[0]]) / sum));
  }
  if (label >= 0 && label < classes) p.loss = std::log(sum) - (static_cast<double>(logits[label]) - logits[order[0]]);
  return p;
}

namespace {

// One geometry for all pictures of a batch.
Tensor repeated(const Geometry& geometry, i64 batch) {
  std::vector<float> rows;
  for (i64 i = 0; i < batch; ++i) rows.insert(rows.end(), geometry.begin(), geometry.end());
  return Tensor::from({batch, static_cast<i64>(geometry.size())}, rows);
}

std::vector<Tensor> geometries(const EvaluateOptions& o, const InputSpec& input, const Batch& batch) {
  const Shape& bytes = batch.bytes.shape();
  std::vector<Tensor> views;
  for (const Geometry& g : test_views(o.views, input, static_cast<int>(bytes[-3]), static_cast<int>(bytes[-2])))
    views.push_back(repeated(g, bytes[0]));
  return views;
}

// Scores of a batch (N, classes), row by row: of its only view, or the logarithm of the views' mean probability.
std::vector<float> scores_of(const Model& model, Batch batch, const std::vector<Tensor>& views, DType dtype) {
  std::vector<double> mean;
  std::vector<float> scores;
  for (const Tensor& view : views) {
    batch.geometry = view;
    Pass pass;
    const Tensor y = model.forward(input_of(batch, model.input, dtype), pass);
    if (views.size() == 1) return y.floats();
    scores = softmax(y.to(DType::f32)).floats();
    mean.resize(scores.size());
    for (std::size_t i = 0; i < scores.size(); ++i) mean[i] += scores[i] / static_cast<double>(views.size());
  }
  std::transform(mean.begin(), mean.end(), scores.begin(),
                 [](double p) { return static_cast<float>(std::log(std::max(p, 1e-37))); });
  return scores;
}

}  // namespace

std::vector<Prediction> evaluate(const Model& model, const DataSource& source, const EvaluateOptions& o) {
  // Every picture is needed once: nothing to keep.
  Loader loader(source, {.batch = std::min(o.batch, source.size()),
                         .threads = o.threads,
                         .input = model.input,
                         .cache_bytes = 0,
                         .device = Context::current().device()});
  std::vector<Prediction> predictions;
  std::vector<Tensor> views;
  i64 done = 0;
  loader.start(0);
  for (Batch batch; loader.next(batch);) {
    if (views.empty()) views = geometries(o, model.input, batch);
    const std::vector<float> scores = scores_of(model, batch, views, o.dtype);
    const i64 rows = static_cast<i64>(batch.samples.size()), classes = static_cast<i64>(scores.size()) / rows;
    for (i64 row = 0; row < rows; ++row)
      if (const i64 i = batch.samples[static_cast<std::size_t>(row)]; i >= 0)
        predictions.push_back(predicted(source.name(i), source.label(i), scores.data() + row * classes, classes));
    done = std::min(done + rows, source.size());
    if (o.progress) o.progress(done, source.size());
  }
  if (o.bad) *o.bad = loader.bad();
  return predictions;
}

}  // namespace dactyl
