// Where labelled clips come from: how many there are, and moments of the i-th one.
#pragma once

#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "train/data/labelled.h"
#include "train/data/video.h"

namespace dactyl {

class ClipSource : public Labelled {
 public:
  // Of the sample alone: where it is a part of a video, time 0 is the first frame of that part. Thread-safe, as the
  // next ones; they throw Exit::data if the file is bad.
  virtual VideoInfo info(i64 i) const = 0;
  // The frames nearest the times that `choose` names once it knows the video. One opening, one decoding.
  using ChooseTimes = std::function<std::vector<Times>(const VideoInfo&)>;
  virtual std::vector<Image> clips(i64 i, const ChooseTimes& choose) const = 0;
  // Reads everything and keeps nothing; throws what reading would.
  virtual void check_sample(i64 i) const = 0;
  struct Span {
    double start = 0, end = std::numeric_limits<double>::infinity();  // seconds
  };
  virtual Span span(i64) const { return {}; }                 // the part of its video that it is
  virtual std::string place(i64 i) const { return name(i); }  // the video or folder itself
  virtual int channels() const { return 3; }                  // of every clip: 3, or 2 of optical flow
  virtual std::string flow() const { return ""; }  // how flow was computed: the text of a FlowRecipe; empty: colours
  virtual int packed_side() const { return 0; }    // of a pack: the frames' short side
  // The files it is made of, in order.
  virtual std::vector<std::string> files(i64 i) const = 0;

  Image clip(i64 i, const Times& times) const;
  Image all_frames(i64 i) const;
};

// A folder with one sub-folder per class (or signer/class/, as open_source) that hold videos, or that hold folders of
// pictures, one per clip, whose pictures in order of name are its frames, `fps` of them per second; a CSV file with the
// header `path,label` or `path,label,start,end`, whose paths are videos or such folders and whose seconds cut a word
// out of a sentence (empty: from the start, to the end); a pack. Sorted by path and start. `known` fixes the label
// order; `frame_folders`: a video among folders of pictures is no clip. Throws Exit::data: path, what is wrong, what is
// expected.
std::unique_ptr<ClipSource> open_clips(const std::string& path, const std::vector<std::string>& known = {},
                                       double fps = 25, bool frame_folders = false);
// Videos by their paths, as something to recognise: all of label 0, sorted by path, each once.
std::unique_ptr<ClipSource> video_files(std::vector<std::string> labels, std::vector<std::string> paths);
// Whether a folder, CSV or pack is about videos rather than pictures: more of those than of these.
bool holds_videos(const std::string& path);

// Samples of another source in the given order, and of its labels those in `labels`, renumbered (empty: all as they
// are). The samples must have labels that are left.
std::unique_ptr<ClipSource> subset(std::shared_ptr<const ClipSource> source, std::vector<i64> indices,
                                   std::vector<std::string> labels = {});
// The samples of some classes only: only_classes(s, frequent_labels(*s, 20, 100)).
std::unique_ptr<ClipSource> only_classes(std::shared_ptr<const ClipSource> source, std::vector<std::string> labels);
// Every frame brought to a short side of `side` pixels, the other in proportion (rounded down): what a pack holds.
std::unique_ptr<ClipSource> with_short_side(std::shared_ptr<const ClipSource> source, int side);

}  // namespace dactyl
