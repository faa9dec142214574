// Which pairs of frames a clip of flow needs, and their flow as bytes.
#include "train/data/flow_clips.h"

#include <algorithm>
#include <map>
#include <optional>

#include "train/data/load_stage.h"
#include "train/data/regular_file.h"

namespace dactyl {
namespace {

constexpr i64 most_pairs = 32;  // at once: bounds the memory

// A place on `device`, kept for as long as the thread lives: a loader's threads have none, and a new one for every clip
// would allocate its memory anew.
std::shared_ptr<Context> own_context(Device device) {
  thread_local std::shared_ptr<Context> own;
  if (!own || own->device() != device) own = std::make_shared<Context>(device);
  return own;
}

// Rounded to a byte, as OpenCV's cvtColor.
float grey(const std::uint8_t* rgb) {
  return static_cast<float>((rgb[0] * 4899 + rgb[1] * 9617 + rgb[2] * 1868 + 8192) >> 14);
}

std::uint8_t byte(float pixels, double bound) {
  return static_cast<std::uint8_t>(std::clamp(127.5 + 127.5 * pixels / bound, 0.0, 255.0) + 0.5);
}

// Some frames of a clip, on the current device.
Tensor grey_frames(const Image& clip, std::span<const int> frames) {
  std::vector<float> values;
  values.reserve(frames.size() * clip.frame_bytes() / 3);
  for (const int f : frames)
    for (std::size_t at = 0; at < clip.frame_bytes(); at += 3) values.push_back(grey(clip.frame(f) + at));
  return Tensor::from({static_cast<i64>(frames.size()), clip.height, clip.width}, values);
}

// A video's frames of which flow is wanted, and those it takes to compute it.
struct Pairs {
  std::vector<std::vector<i64>> lists;  // per clip: numbers of pairs
  std::map<i64, int> pair;              // a pair's first frame in the video -> its number
  std::map<i64, int> frame;             // a frame in the video -> its place among those read

  Pairs(const VideoInfo& info, const std::vector<Times>& times) : lists(times.size()) {
    for (const Times& list : times)
      for (const double t : list) add(first(info, t), info.frames);
    int place = 0;
    for (auto& [index, number] : frame) number = place++;
    place = 0;
    for (auto& [index, number] : pair) number = place++;
    for (std::size_t c = 0; c < times.size(); ++c)
      for (const double t : times[c]) lists[c].push_back(pair.at(first(info, t)));
  }

  Times times(const VideoInfo& info) const {
    Times all;
    for (const auto& [index, number] : frame) all.push_back(info.times[static_cast<std::size_t>(index)]);
    return all;
  }

 private:
  static i64 first(const VideoInfo& info, double t) {
    return std::clamp<i64>(nearest_frame(info.times, t), 0, std::max<i64>(info.frames - 2, 0));
  }
  void add(i64 index, i64 frames) {
    pair[index] = 0;
    frame[index] = frame[std::min(index + 1, frames - 1)] = 0;
  }
};

class FlowClips : public ClipSource {
 public:
  FlowClips(std::shared_ptr<const ClipSource> source, const FlowRecipe& recipe, Device device)
      : source_(with_short_side(source, recipe.side)), recipe_(recipe), text_(to_text(recipe)), device_(device) {
    check(Exit::usage, source->channels() == 3, "flow of '{}': the data is optical flow already", source->flow());
    const int side = source->packed_side();
    check(Exit::usage, side == 0 || side == recipe.side,
          "the data was packed with a short side of {} pixels, and flow is wanted of frames of {}; resizing twice is "
          "another flow: pack it with --side {}, or ask for flow of {}",
          side, recipe.side, recipe.side, side);
  }
  i64 size() const override { return source_->size(); }
  int label(i64 i) const override { return source_->label(i); }
  std::string name(i64 i) const override { return source_->name(i); }
  const std::vector<std::string>& labels() const override { return source_->labels(); }
  VideoInfo info(i64 i) const override { return source_->info(i); }
  void check_sample(i64 i) const override { source_->check_sample(i); }
  Span span(i64 i) const override { return source_->span(i); }
  std::string place(i64 i) const override { return source_->place(i); }
  std::vector<std::string> files(i64 i) const override { return source_->files(i); }
  int channels() const override { return 2; }
  std::string flow() const override { return text_; }

  std::vector<Image> clips(i64 i, const ChooseTimes& choose) const override {
    std::optional<Pairs> pairs;
    const Image frames = std::move(source_
                                       ->clips(i,
                                               [&](const VideoInfo& info) {
                                                 pairs.emplace(info, choose(info));
                                                 return std::vector<Times>{pairs->times(info)};
                                               })
                                       .front());
    const Image flow = flow_of(frames, *pairs);
    std::vector<Image> clips;
    for (const std::vector<i64>& list : pairs->lists) {
      Image clip{flow.height, flow.width, {}, static_cast<int>(list.size()), 2};
      for (const i64 number : list) {
        const std::uint8_t* from = flow.frame(static_cast<int>(number));
        clip.rgb.insert(clip.rgb.end(), from, from + flow.frame_bytes());
      }
      clips.push_back(std::move(clip));
    }
    return clips;
  }

 private:
  // One frame per pair.
  Image flow_of(const Image& frames, const Pairs& pairs) const {
    const Staged computing(LoadStage::flow);
    const Use use(own_context(device_));
    std::vector<int> from, to;
    for (const auto& [index, number] : pairs.pair) {
      from.push_back(pairs.frame.at(index));
      to.push_back(std::min(from.back() + 1, frames.frames - 1));
    }
    Image flow{frames.height, frames.width, {}, static_cast<int>(from.size()), 2};
    flow.rgb.reserve(from.size() * flow.frame_bytes());
    for (std::size_t at = 0; at < from.size(); at += most_pairs) {
      const std::size_t count = std::min<std::size_t>(most_pairs, from.size() - at);
      const Tensor uv = compute_flow(recipe_, grey_frames(frames, std::span(from).subspan(at, count)),
                                     grey_frames(frames, std::span(to).subspan(at, count)));
      for (const float pixels : uv.floats()) flow.rgb.push_back(byte(pixels, recipe_.bound));
    }
    return flow;
  }

  std::shared_ptr<const ClipSource> source_;
  FlowRecipe recipe_;
  std::string text_;
  Device device_;
};

}  // namespace

std::unique_ptr<ClipSource> with_flow(std::shared_ptr<const ClipSource> source, const FlowRecipe& recipe,
                                      Device device) {
  return std::make_unique<FlowClips>(std::move(source), recipe, device);
}

std::shared_ptr<const ClipSource> open_flow(const std::string& path, const std::vector<std::string>& known,
                                            const FlowRecipe& recipe, Device device, bool frame_folders) {
  std::shared_ptr<const ClipSource> clips = open_clips(path, known, 25, frame_folders);
  const std::string wanted = to_text(recipe), stored = clips->flow();
  check(Exit::usage, stored.empty() || stored == wanted,
        "{}: holds flow computed with {}, and {} is wanted; compute it anew with dactyl flow, or ask for what is there",
        path, difference(stored, wanted), difference(wanted, stored));
  if (!stored.empty()) return clips;
  return about(path, [&] { return with_flow(std::move(clips), recipe, device); });
}

}  // namespace dactyl
