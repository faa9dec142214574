// Frames of a video by time: one pass of decoding, and nothing damaged is passed on.
#include "train/data/video.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <numeric>

#include "train/data/regular_file.h"
#ifdef DACTYL_FFMPEG
#include "train/data/video_picture.h"
#include "train/data/video_timeline.h"
#endif

namespace dactyl {

#ifdef DACTYL_FFMPEG
namespace {

using namespace ffmpeg;

// Where a decoded frame goes.
struct Place {
  std::size_t clip;
  int frame;
};

using Wanted = std::map<i64, std::vector<Place>>;  // by index of the frame

class Decoding {
 public:
  Decoding(VideoFile& file, const Timeline& timeline)
      : file_(file),
        timeline_(timeline),
        picture_(timeline.info.orientation),
        seen_(timeline.frames.size()),
        bad_groups_(timeline.packets.empty() ? 1 : static_cast<std::size_t>(timeline.packets.back().group) + 1) {}

  // Decodes from the start of the file until all frames in `wanted` (by index) are in their clips.
  void run(const Wanted& wanted, std::vector<Image>& clips) {
    i64 last = 0;  // packet
    for (const auto& [index, places] : wanted)
      last = std::max(last, timeline_.frames[static_cast<std::size_t>(index)].packet);
    if (timeline_.by_order) last = static_cast<i64>(timeline_.packets.size()) - 1;
    file_.rewind();
    const Codec decoder = file_.decoder();
    const Packet packet = new_packet();
    for (at_ = 0; at_ <= last && file_.next(*packet); ++at_) {
      if (packet->flags & AV_PKT_FLAG_CORRUPT) blame(at_, "a piece of it is missing");
      feed(*decoder, packet.get(), wanted, clips);
    }
    feed(*decoder, nullptr, wanted, clips);
    check_frames(wanted);
  }

 private:
  // Null: no more packets follow.
  void feed(AVCodecContext& decoder, const AVPacket* packet, const Wanted& wanted, std::vector<Image>& clips) {
    const i64 complaints_before = complaints().decoder;
    const int code = avcodec_send_packet(&decoder, packet);
    check(Exit::memory, code != AVERROR(ENOMEM), "video: no memory to decode");
    if (code < 0 && code != AVERROR_EOF) blame(at_, reason(code));
    receive(decoder, wanted, clips);
    if (complaints().decoder != complaints_before) blame(at_, reason(0));
  }

  void receive(AVCodecContext& decoder, const Wanted& wanted, std::vector<Image>& clips) {
    const Frame frame = new_frame();
    for (;;) {
      const int code = avcodec_receive_frame(&decoder, frame.get());
      if (code == AVERROR(EAGAIN) || code == AVERROR_EOF) return;
      check(Exit::memory, code != AVERROR(ENOMEM), "video: no memory to decode");
      file_.check_deadline();
      if (code < 0) {
        blame(at_, reason(code));
        continue;
      }
      const i64 index = timeline_.by_order ? shown_ : timeline_.at_stamp(frame->pts);
      ++shown_;
      if (index < 0 || index >= static_cast<i64>(seen_.size())) continue;
      seen_[static_cast<std::size_t>(index)] = true;
      if (frame->decode_error_flags || frame->flags & AV_FRAME_FLAG_CORRUPT)
        blame(timeline_.frames[static_cast<std::size_t>(index)].packet, "its decoder had to guess");
      if (const auto places = wanted.find(index); places != wanted.end() && !places->second.empty())
        put(*frame, places->second, clips);
    }
  }

  void put(const AVFrame& frame, const std::vector<Place>& places, std::vector<Image>& clips) {
    const AVCodecParameters& told = *file_.stream().codecpar;
    check(Exit::data, frame.width == told.width && frame.height == told.height,
          "its pictures change from {} x {} to {} x {}; re-encode it to one size", told.width, told.height, frame.width,
          frame.height);
    const Image image = picture_(frame);
    for (const Place& place : places)
      std::copy(image.rgb.begin(), image.rgb.end(), clips[place.clip].frame(place.frame));
  }

  // All frames from this packet's key frame to the next may be wrong from now on.
  void blame(i64 packet, const std::string& why) {
    const auto at = static_cast<std::size_t>(std::min(packet, static_cast<i64>(timeline_.packets.size()) - 1));
    std::string& reason = bad_groups_[static_cast<std::size_t>(timeline_.packets[at].group)];
    if (!reason.empty()) return;
    reason = "packet " + to_text(packet) + ": " + why;
    if (first_blame_.empty()) first_blame_ = reason;
  }

  void check_frames(const Wanted& wanted) const {
    const auto frames = static_cast<i64>(timeline_.frames.size());
    if (timeline_.by_order)
      check(Exit::data, first_blame_.empty() && shown_ == frames,
            "damaged, and without time stamps nobody can say where: {} of {} frames decoded{}{}", shown_, frames,
            first_blame_.empty() ? "" : "; ", first_blame_);
    for (const auto& [index, places] : wanted) {
      const Timeline::Frame& frame = timeline_.frames[static_cast<std::size_t>(index)];
      const Timeline::PacketFacts& facts = timeline_.packets[static_cast<std::size_t>(frame.packet)];
      const auto group = static_cast<std::size_t>(facts.group);
      std::string why = bad_groups_[group];
      if (why.empty() && facts.leading && group > 0) why = bad_groups_[group - 1];
      if (why.empty() && !seen_[static_cast<std::size_t>(index)]) why = "it cannot be decoded";
      check(Exit::data, why.empty(), "damaged at frame {} of {} ({} s): {}", index, frames,
            timeline_.info.times[static_cast<std::size_t>(index)], why);
    }
  }

  VideoFile& file_;
  const Timeline& timeline_;
  VideoPicture picture_;
  std::vector<bool> seen_;               // by frame
  std::vector<std::string> bad_groups_;  // why, by group of packets
  std::string first_blame_;
  i64 at_ = 0, shown_ = 0;
};

// Which frame goes where, and the memory for it.
Wanted plan(const VideoInfo& info, const FrameLists& lists, std::vector<Image>& clips, const VideoLimits& limits) {
  Wanted wanted;
  i64 frames = 0;
  for (std::size_t c = 0; c < lists.size(); ++c) {
    for (std::size_t f = 0; f < lists[c].size(); ++f) {
      check(lists[c][f] >= 0 && lists[c][f] < info.frames, "clip {}: frame {} of {}", c, lists[c][f], info.frames);
      wanted[lists[c][f]].push_back({c, static_cast<int>(f)});
    }
    frames += static_cast<i64>(lists[c].size());
  }
  const i64 each = i64{3} * info.height * info.width;
  check(Exit::data, frames <= limits.clip_bytes / each, "{} frames of {} x {} need more than {} bytes, the limit",
        frames, info.height, info.width, limits.clip_bytes);
  for (const auto& list : lists) {
    clips.push_back({info.height, info.width, {}, static_cast<int>(list.size())});
    clips.back().rgb.resize(list.size() * clips.back().frame_bytes());
  }
  return wanted;
}

}  // namespace

VideoInfo probe_video(const std::string& path, const VideoLimits& limits) {
  return about(path, [&] {
    VideoFile file(path, limits);
    return read_timeline(file).info;
  });
}

std::vector<Image> read_chosen(const std::string& path, const Choose& choose, const VideoLimits& limits) {
  return about(path, [&] {
    VideoFile file(path, limits);
    const Timeline timeline = read_timeline(file);
    std::vector<Image> clips;
    const Wanted wanted = plan(timeline.info, choose(timeline.info), clips, limits);
    if (!wanted.empty()) Decoding(file, timeline).run(wanted, clips);
    return clips;
  });
}

VideoInfo check_video(const std::string& path, const VideoLimits& limits) {
  return about(path, [&] {
    VideoFile file(path, limits);
    const Timeline timeline = read_timeline(file);
    Wanted all;  // wanted, but nowhere
    for (i64 i = 0; i < timeline.info.frames; ++i) all[i];
    std::vector<Image> none;
    Decoding(file, timeline).run(all, none);
    return timeline.info;
  });
}

#else
namespace {
[[noreturn]] void no_ffmpeg(const std::string& path) {
  fail(Exit::usage, "{}: this build has no FFmpeg to read videos; run apps/setup.sh, which installs it and rebuilds",
       {path});
}
}  // namespace

VideoInfo probe_video(const std::string& path, const VideoLimits&) { no_ffmpeg(path); }
VideoInfo check_video(const std::string& path, const VideoLimits&) { no_ffmpeg(path); }
std::vector<Image> read_chosen(const std::string& path, const Choose&, const VideoLimits&) { no_ffmpeg(path); }
#endif

i64 nearest_frame(const Times& frames, double time) {
  check(!frames.empty() && !std::isnan(time), "video: no frame is nearest to {} among {}", time, frames.size());
  const auto after = std::lower_bound(frames.begin(), frames.end(), time);
  const i64 i = after - frames.begin();
  if (i == 0 || (after != frames.end() && time - after[-1] > *after - time)) return i;
  return i - 1;
}

std::vector<Image> read_clips(const std::string& path, const std::vector<Times>& lists, const VideoLimits& limits) {
  const auto nearest = [&](const VideoInfo& info) {
    FrameLists chosen(lists.size());
    for (std::size_t c = 0; c < lists.size(); ++c)
      for (const double time : lists[c]) chosen[c].push_back(nearest_frame(info.times, time));
    return chosen;
  };
  return read_chosen(path, nearest, limits);
}

Image read_clip(const std::string& path, const Times& times, const VideoLimits& limits) {
  return std::move(read_clips(path, {times}, limits).front());
}

Image read_video(const std::string& path, const VideoLimits& limits) {
  const auto all = [](const VideoInfo& info) {
    FrameLists chosen(1);
    for (i64 i = 0; i < info.frames; ++i) chosen[0].push_back(i);
    return chosen;
  };
  return std::move(read_chosen(path, all, limits).front());
}

}  // namespace dactyl
