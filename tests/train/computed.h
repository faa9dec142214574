// A source of made-up pictures, and what a loader makes of it, for the tests of the loader.
#pragma once

#include <atomic>
#include <set>

#include "tests/train/pictures.h"
#include "train/data/loader.h"

namespace dactyl {

// Pictures made on the spot; the chosen ones are bad. Counts how often it is asked.
class Computed : public DataSource {
 public:
  Computed(i64 size, int classes, std::set<i64> bad = {}) : size_(size), classes_(classes), bad_(std::move(bad)) {
    for (int c = 0; c < classes; ++c) labels_.push_back("class " + std::to_string(c));
  }
  i64 size() const override { return size_; }
  int label(i64 i) const override { return static_cast<int>(i % classes_); }
  std::string name(i64 i) const override { return "sample " + std::to_string(1000 + i); }
  Image image(i64 i) const override {
    ++asked;
    check(broken != i, "the disk is on fire");
    check(Exit::data, !bad_.contains(i), "{}: is bad", name(i));
    Image image = plain_picture(8, 8, static_cast<std::uint8_t>(i));
    for (int k = 0; k < 64; ++k) image.rgb[static_cast<std::size_t>(3 * k)] = static_cast<std::uint8_t>(k);
    return image;
  }
  const std::vector<std::string>& labels() const override { return labels_; }

  mutable std::atomic<i64> asked{0};
  i64 broken = -1;  // this sample fails with something that is not about data

 private:
  i64 size_;
  int classes_;
  std::set<i64> bad_;
  std::vector<std::string> labels_;
};

inline LoaderOptions options(i64 batch, bool training, int threads = 3) {
  LoaderOptions o;
  o.batch = batch;
  o.training = training;
  o.threads = threads;
  o.input.height = o.input.width = 6;
  o.input.resize_to = 8;
  o.bad_few = 0;
  o.bad_limit = 1;
  return o;
}

// All that a batch holds, as text.
inline std::string content(const Batch& batch) {
  std::string text =
      std::to_string(batch.epoch) + "/" + std::to_string(batch.index) + "/" + std::to_string(batch.count) + ":";
  for (const i64 s : batch.samples) text += std::to_string(s) + " ";
  for (const Tensor& t : {batch.bytes, batch.geometry, batch.labels})
    for (const float v : t.floats()) text += std::to_string(v) + " ";
  return text;
}

inline std::vector<std::string> rest_of_epoch(Loader& loader) {
  std::vector<std::string> all;
  for (Batch batch; loader.next(batch);) all.push_back(content(batch));
  return all;
}

inline std::vector<std::string> epoch_of(Loader& loader, i64 epoch, i64 batch = 0) {
  loader.start(epoch, batch);
  return rest_of_epoch(loader);
}

}  // namespace dactyl
