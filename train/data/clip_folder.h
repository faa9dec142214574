// Clips from files: videos, parts of videos, and folders of pictures. Internal to open_clips.
#pragma once

#include "train/data/clip_source.h"

namespace dactyl {

struct ClipItem {
  std::string path;
  int label;
  ClipSource::Span span = {};
};

class ClipFiles : public ClipSource {
 public:
  ClipFiles(std::vector<std::string> labels, std::vector<ClipItem> items, double fps);
  i64 size() const override { return static_cast<i64>(items_.size()); }
  int label(i64 i) const override { return item(i).label; }
  std::string name(i64 i) const override;  // the path, and "@start-end" for a part
  const std::vector<std::string>& labels() const override { return labels_; }
  VideoInfo info(i64 i) const override;
  std::vector<Image> clips(i64 i, const ChooseTimes& choose) const override;
  void check_sample(i64 i) const override;
  std::string place(i64 i) const override { return item(i).path; }
  Span span(i64 i) const override { return item(i).span; }
  std::vector<std::string> files(i64 i) const override;

 private:
  const ClipItem& item(i64 i) const { return items_.at(static_cast<std::size_t>(i)); }

  std::vector<std::string> labels_;
  std::vector<ClipItem> items_;
  double fps_;  // of folders of pictures
};

}  // namespace dactyl
