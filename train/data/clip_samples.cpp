// Sampling decides, the source reads.
#include "train/data/clip_samples.h"

#include "train/data/flow_clips.h"
#include "train/data/pack.h"

namespace dactyl {
namespace {

class ClipSamples : public DataSource {
 public:
  ClipSamples(std::shared_ptr<const ClipSource> source, const FrameChoice& choice)
      : source_(std::move(source)), choice_(choice) {
    check(Exit::usage, choice.training.frames == choice.testing.frames,
          "clips: {} is trained on, {} is tested on; both need the same number of frames", to_text(choice.training),
          to_text(choice.testing));
    check(Exit::usage, choice.testing.kind != Sampling::dense && choice.training.kind != Sampling::dense,
          "clips: dense gives several clips of a sample, one is needed; take uniform or centre");
  }
  i64 size() const override { return source_->size(); }
  int label(i64 i) const override { return source_->label(i); }
  std::string name(i64 i) const override { return source_->name(i); }
  const std::vector<std::string>& labels() const override { return source_->labels(); }
  int frames() const override { return choice_.testing.frames; }
  int channels() const override { return source_->channels(); }
  std::string flow() const override { return source_->flow(); }
  Image image(i64 i) const override { return read(i, choice_.testing, 0); }
  Image drawn(i64 i, i64 epoch) const override { return read(i, choice_.training, epoch); }
  bool varies() const override {
    return choice_.training.kind == Sampling::segments || choice_.training.kind == Sampling::window;
  }

 private:
  Image read(i64 i, const ClipSampling& how, i64 epoch) const {
    return std::move(
        source_->clips(i, [&](const VideoInfo& info) { return sample_times(how, info, choice_.seed, epoch, i); })
            .front());
  }

  std::shared_ptr<const ClipSource> source_;
  FrameChoice choice_;
};

}  // namespace

std::unique_ptr<DataSource> clip_samples(std::shared_ptr<const ClipSource> source, const FrameChoice& choice) {
  return std::make_unique<ClipSamples>(std::move(source), choice);
}

std::shared_ptr<const DataSource> open_samples(const std::string& path, const std::vector<std::string>& known,
                                               const SampleChoice& choice) {
  if (!choice.classes.all()) {
    SampleChoice all = choice;
    all.classes = {};
    std::shared_ptr<const DataSource> source = open_samples(path, {}, all);
    auto labels =
        known.empty() ? frequent_labels(*source, choice.classes.min_per_class, choice.classes.top_classes) : known;
    return only_classes(std::move(source), std::move(labels));
  }
  if (choice.flow)
    return clip_samples(open_flow(path, known, *choice.flow, choice.device, choice.frame_folders), choice.frames);
  if (choice.frame_folders || holds_videos(path))
    return clip_samples(open_clips(path, known, 25, choice.frame_folders), choice.frames);
  return open_source(path, known);
}

}  // namespace dactyl
