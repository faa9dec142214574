// Computing features, and learning and predicting from them.
#include "train/features.h"

#include <algorithm>
#include <cstring>

#include "train/inference.h"
#include "train/signals.h"

namespace dactyl {
namespace {

// Another source, repeated up to a whole number of batches: training batches are full, and every sample must be in one.
class Padded : public DataSource {
 public:
  Padded(const DataSource& source, i64 batch) : source_(source), size_((source.size() + batch - 1) / batch * batch) {}
  i64 size() const override { return size_; }
  int label(i64 i) const override { return source_.label(i % source_.size()); }
  std::string name(i64 i) const override { return source_.name(i % source_.size()); }
  Image image(i64 i) const override { return source_.image(i % source_.size()); }
  Image drawn(i64 i, i64 epoch) const override { return source_.drawn(i % source_.size(), epoch); }
  std::string file(i64 i) const override { return source_.file(i % source_.size()); }
  bool varies() const override { return source_.varies(); }
  int channels() const override { return source_.channels(); }
  std::string flow() const override { return source_.flow(); }
  int frames() const override { return source_.frames(); }
  const std::vector<std::string>& labels() const override { return source_.labels(); }

 private:
  const DataSource& source_;
  i64 size_;
};

// Stands for a source whose pictures are not needed any more; what could not be read stays unreadable, so that the
// loader replaces it in the same way.
class Shadow : public DataSource {
 public:
  Shadow(const DataSource& source, const Features& features) : source_(source), features_(features) {}
  i64 size() const override { return source_.size(); }
  int label(i64 i) const override { return source_.label(i); }
  std::string name(i64 i) const override { return source_.name(i); }
  Image image(i64 i) const override {
    if (!features_.good[static_cast<std::size_t>(i)]) throw Error(Exit::data, reason(source_.name(i)));
    return {1, 1, {0, 0, 0}};
  }
  const std::vector<std::string>& labels() const override { return source_.labels(); }

 private:
  std::string reason(const std::string& name) const {
    for (const BadSample& b : features_.bad)
      if (b.name == name) return b.reason;
    return "could not be read";
  }

  const DataSource& source_;
  const Features& features_;
};

LoaderOptions shadow_options(LoaderOptions options) {
  options.input = {.height = 1, .width = 1, .resize = Resize::warp, .resize_to = 1};
  options.augment = {};
  options.threads = 1;
  options.decoder = nullptr;
  return options;
}

class FeatureFeed : private Shadow, public Feed {
 public:
  FeatureFeed(const Model& model, const DataSource& source, const Features& features, const LoaderOptions& options,
              DType dtype)
      : Shadow(source, features),
        Feed(static_cast<const Shadow&>(*this), shadow_options(options)),
        model_(model),
        all_(features),
        dtype_(dtype) {}

  bool next() override {
    if (!Feed::next()) return false;
    const i64 n = static_cast<i64>(batch_.samples.size()), width = all_.rows.shape().channels();
    if (!rows_.defined()) {
      rows_ = Tensor({n, width});
      staging_ = Tensor({n, width}, DType::f32, Device::cpu());
    }
    const i64 view = batch_.epoch % all_.views;
    for (i64 row = 0; row < n; ++row) {
      const i64 from = view * size() + batch_.samples[static_cast<std::size_t>(row)];
      std::memcpy(staging_.data<float>() + row * width, all_.rows.data<float>() + from * width,
                  static_cast<std::size_t>(width) * sizeof(float));
    }
    rows_.copy_from(staging_);
    if (rows_.device().is_cuda()) Context::current().compute().synchronize();  // staging_ is filled again next time
    return true;
  }

  Scores forward(Pass& pass) override { return {model_.head(rows_.to(dtype_), pass), {}}; }
  std::vector<BadSample> bad() const override { return all_.bad; }

 private:
  const Model& model_;
  const Features& all_;
  DType dtype_;
  Tensor rows_, staging_;
};

// The tapped tensor that feeds the head, as f32 on the CPU.
Tensor features_of(const Model& model, const Batch& batch, DType dtype) {
  Tensor seen;
  Pass pass;
  pass.tap = [&](const std::string& name, const Tensor& y) {
    if (name == model.features) seen = y;
  };
  model.forward(input_of(batch, model.input, dtype), pass);
  check(seen.defined(), "features: {} shows no layer {}", model.name, model.features);
  return seen.dense().reshaped({seen.shape()[0], seen.count() / seen.shape()[0]}).to(DType::f32).to(Device::cpu());
}

void compute_view(const Model& model, Loader& loader, i64 view, i64 samples, DType dtype, Features& features,
                  const Advance& advance) {
  loader.start(view);
  for (Batch batch; loader.next(batch);) {
    if (Signals::stop() != Exit::good) throw Stopped{};
    const Tensor found = features_of(model, batch, dtype);
    const i64 width = found.shape().channels();
    if (!features.rows.defined()) {
      features.rows = Tensor({features.views * samples, width}, DType::f32, Device::cpu());
      features.rows.fill(0);
    }
    for (std::size_t row = 0; row < batch.samples.size(); ++row) {
      const i64 i = batch.samples[row];
      if (i < 0) continue;
      std::memcpy(features.rows.data<float>() + (view * samples + i % samples) * width,
                  found.data<float>() + static_cast<i64>(row) * width, static_cast<std::size_t>(width) * sizeof(float));
    }
    advance(batch.count);
  }
}

}  // namespace

Features compute_features(const Model& model, const DataSource& source, const LoaderOptions& wanted, i64 views,
                          DType dtype, const Advance& advance) {
  Features features{.views = views, .good = std::vector<bool>(static_cast<std::size_t>(source.size()), true)};
  LoaderOptions options = wanted;
  options.batch = std::min(wanted.batch, source.size());
  options.training = views > 1;
  const Padded padded(source, options.batch);
  const DataSource& from = views > 1 ? static_cast<const DataSource&>(padded) : source;
  Loader loader(from, options);
  for (i64 view = 0; view < views; ++view) compute_view(model, loader, view, source.size(), dtype, features, advance);
  features.bad = loader.bad();
  for (i64 i = 0; i < source.size(); ++i)
    for (const BadSample& b : features.bad)
      if (b.name == source.name(i)) features.good[static_cast<std::size_t>(i)] = false;
  const auto same = [](const BadSample& a, const BadSample& b) { return a.name == b.name; };
  features.bad.erase(std::unique(features.bad.begin(), features.bad.end(), same), features.bad.end());
  return features;
}

std::unique_ptr<Feed> feature_feed(const Model& model, const DataSource& source, const Features& features,
                                   const LoaderOptions& options, DType dtype) {
  return std::make_unique<FeatureFeed>(model, source, features, options, dtype);
}

std::vector<Prediction> predict_features(const Model& model, const DataSource& source, const Features& features,
                                         i64 batch, DType dtype) {
  std::vector<Prediction> predictions;
  const i64 samples = source.size();
  for (i64 first = 0; first < samples; first += batch) {
    const i64 n = std::min(batch, samples - first);
    Pass pass;
    const Tensor x = features.rows.rows(first, n).to(Context::current().device()).to(dtype);
    const std::vector<float> logits = model.head(x, pass).floats();
    for (i64 i = first; i < first + n; ++i)
      if (features.good[static_cast<std::size_t>(i)])
        predictions.push_back(
            predicted(source.name(i), source.label(i), logits.data() + (i - first) * model.classes, model.classes));
  }
  return predictions;
}

}  // namespace dactyl
