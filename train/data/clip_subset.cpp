// Sources of clips made from other sources: some samples, some classes, another size.
#include <algorithm>

#include "train/data/clip_source.h"

namespace dactyl {
namespace {

class ClipSubset : public ClipSource {
 public:
  ClipSubset(std::shared_ptr<const ClipSource> source, std::vector<i64> indices, std::vector<std::string> labels)
      : source_(std::move(source)), indices_(std::move(indices)), labels_(std::move(labels)) {
    if (labels_.empty()) labels_ = source_->labels();
    label_ = renumbered_labels(*source_, indices_, labels_);
  }
  i64 size() const override { return static_cast<i64>(indices_.size()); }
  int label(i64 i) const override { return label_.at(static_cast<std::size_t>(i)); }
  std::string name(i64 i) const override { return source_->name(at(i)); }
  const std::vector<std::string>& labels() const override { return labels_; }
  VideoInfo info(i64 i) const override { return source_->info(at(i)); }
  std::vector<Image> clips(i64 i, const ChooseTimes& choose) const override { return source_->clips(at(i), choose); }
  void check_sample(i64 i) const override { source_->check_sample(at(i)); }
  Span span(i64 i) const override { return source_->span(at(i)); }
  std::string place(i64 i) const override { return source_->place(at(i)); }
  int channels() const override { return source_->channels(); }
  std::string flow() const override { return source_->flow(); }
  int packed_side() const override { return source_->packed_side(); }
  std::vector<std::string> files(i64 i) const override { return source_->files(at(i)); }

 private:
  i64 at(i64 i) const { return indices_.at(static_cast<std::size_t>(i)); }
  std::shared_ptr<const ClipSource> source_;
  std::vector<i64> indices_;
  std::vector<std::string> labels_;
  std::vector<int> label_;
};

// The longer side in proportion, rounded down, as `prepared` has it for pictures.
int in_proportion(int extent, int shorter, int side) {
  const i64 scaled = i64{side} * extent / shorter;
  check(Exit::data, scaled <= 16384, "{} x {} pixels with a short side of {} would be {} long, the limit is 16384",
        shorter, extent, side, scaled);
  return static_cast<int>(scaled);
}

class ShortSide : public ClipSource {
 public:
  ShortSide(std::shared_ptr<const ClipSource> source, int side) : source_(std::move(source)), side_(side) {
    check(Exit::usage, side >= 1 && side <= 4096, "a short side of {} pixels; 1 to 4096 are possible", side);
  }
  i64 size() const override { return source_->size(); }
  int label(i64 i) const override { return source_->label(i); }
  std::string name(i64 i) const override { return source_->name(i); }
  const std::vector<std::string>& labels() const override { return source_->labels(); }
  void check_sample(i64 i) const override { source_->check_sample(i); }
  Span span(i64 i) const override { return source_->span(i); }
  std::string place(i64 i) const override { return source_->place(i); }
  int channels() const override { return source_->channels(); }
  std::string flow() const override { return source_->flow(); }
  std::vector<std::string> files(i64 i) const override { return source_->files(i); }
  VideoInfo info(i64 i) const override { return changed(source_->info(i)); }
  std::vector<Image> clips(i64 i, const ChooseTimes& choose) const override {
    auto clips = source_->clips(i, [&](const VideoInfo& info) { return choose(changed(info)); });
    for (Image& clip : clips) clip = changed(clip);
    return clips;
  }

 private:
  VideoInfo changed(VideoInfo info) const {
    const int shorter = std::min(info.height, info.width);
    info.height = in_proportion(info.height, shorter, side_);
    info.width = in_proportion(info.width, shorter, side_);
    return info;
  }
  Image changed(const Image& clip) const {
    const int shorter = std::min(clip.height, clip.width);
    if (shorter == side_) return clip;
    return resized(clip, in_proportion(clip.height, shorter, side_), in_proportion(clip.width, shorter, side_),
                   Filter::antialias);
  }
  std::shared_ptr<const ClipSource> source_;
  int side_;
};

}  // namespace

std::unique_ptr<ClipSource> subset(std::shared_ptr<const ClipSource> source, std::vector<i64> indices,
                                   std::vector<std::string> labels) {
  return std::make_unique<ClipSubset>(std::move(source), std::move(indices), std::move(labels));
}

std::unique_ptr<ClipSource> only_classes(std::shared_ptr<const ClipSource> source, std::vector<std::string> labels) {
  std::vector<i64> indices = samples_of_classes(*source, labels);
  return subset(std::move(source), std::move(indices), std::move(labels));
}

std::unique_ptr<ClipSource> with_short_side(std::shared_ptr<const ClipSource> source, int side) {
  return std::make_unique<ShortSide>(std::move(source), side);
}

}  // namespace dactyl
