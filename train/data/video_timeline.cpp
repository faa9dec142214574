// A video's packets, sorted into what is shown when.
#ifdef DACTYL_FFMPEG
#include "train/data/video_timeline.h"

#include <algorithm>

namespace dactyl {
namespace {

struct Stamped {
  i64 pts, dts, duration;
  bool key, hidden;
};

// A packet of VP8 says in its fifth bit whether its frame is shown.
bool is_hidden(const AVPacket& packet, AVCodecID codec) {
  const bool reference_only = codec == AV_CODEC_ID_VP8 && packet.size > 0 && !(packet.data[0] & 0x10);
  return packet.size == 0 || reference_only || packet.flags & AV_PKT_FLAG_DISCARD;
}

std::vector<Stamped> read_packets(VideoFile& file) {
  std::vector<Stamped> packets;
  const ffmpeg::Packet packet = ffmpeg::new_packet();
  const AVStream& stream = file.stream();
  try {
    while (file.next(*packet)) {
      const AVPacket& p = *packet;
      // In a transport stream a lost piece; elsewhere the end of the file in the middle of a frame.
      const bool cut = p.flags & AV_PKT_FLAG_CORRUPT && std::string_view(file.container()) != "mpegts";
      check(Exit::data, !cut, "ends in the middle of a frame");
      packets.push_back(
          {p.pts, p.dts, p.duration, (p.flags & AV_PKT_FLAG_KEY) != 0, is_hidden(p, stream.codecpar->codec_id)});
      check(Exit::data, static_cast<i64>(packets.size()) <= file.limits().frames,
            "has more than {} frames, the limit; cut it into pieces", file.limits().frames);
    }
    check(Exit::data, !file.ends_in_a_packet(), "ends in the middle of a packet");
    const i64 expected = stream.nb_frames;
    check(Exit::data, static_cast<i64>(packets.size()) >= expected, "holds less than the {} frames it promises",
          expected);
  } catch (const Error& error) {
    if (error.exit() != Exit::data || packets.empty()) throw;
    throw Error(error.exit(), std::string(error.what()) + "; " + to_text(packets.size()) + " frames are there");
  }
  return packets;
}

bool order_only(const std::vector<Stamped>& packets, const std::vector<Timeline::Frame>& sorted) {
  i64 before = AV_NOPTS_VALUE;
  for (const Stamped& p : packets) {
    if (p.pts == AV_NOPTS_VALUE && !p.hidden) return true;
    if (p.dts == AV_NOPTS_VALUE) continue;
    if (before != AV_NOPTS_VALUE && p.dts < before) return true;
    before = p.dts;
  }
  return std::adjacent_find(sorted.begin(), sorted.end(),
                            [](const auto& a, const auto& b) { return a.stamp == b.stamp; }) != sorted.end();
}

double seconds(const AVStream& stream, i64 ticks) { return static_cast<double>(ticks) * av_q2d(stream.time_base); }

// What the file says one frame lasts; 25 per second where it says nothing.
double nominal_duration(const AVStream& stream, const std::vector<Stamped>& packets) {
  if (stream.avg_frame_rate.num > 0 && stream.avg_frame_rate.den > 0) return 1 / av_q2d(stream.avg_frame_rate);
  if (packets.front().duration > 0) return seconds(stream, packets.front().duration);
  return 0.04;
}

// Where stamps cannot order the frames: decoding times if every packet has its own, else the nominal rate.
void time_by_order(Timeline& timeline, const std::vector<Stamped>& packets, const AVStream& stream) {
  std::vector<i64> stamps;
  for (const Timeline::Frame& frame : timeline.frames)
    stamps.push_back(packets[static_cast<std::size_t>(frame.packet)].dts);
  const bool usable = stamps.front() != AV_NOPTS_VALUE &&
                      std::adjacent_find(stamps.begin(), stamps.end(), std::greater_equal<>()) == stamps.end();
  const double each = nominal_duration(stream, packets);
  for (std::size_t i = 0; i < stamps.size(); ++i)
    timeline.info.times.push_back(usable ? seconds(stream, stamps[i] - stamps[0]) : static_cast<double>(i) * each);
}

void sort_groups(Timeline& timeline, const std::vector<Stamped>& packets) {
  i64 group = 0, key_stamp = packets.front().pts;
  for (const Stamped& p : packets) {
    if (p.key) ++group, key_stamp = p.pts;
    timeline.packets.push_back({group, p.pts < key_stamp});
  }
}

// Frames before the first key frame cannot be shown. Only a recorded broadcast may have some.
void sort_frames(Timeline& timeline, const std::vector<Stamped>& packets, const VideoFile& file) {
  const AVStream& stream = file.stream();
  const auto first = std::find_if(packets.begin(), packets.end(), [](const Stamped& p) { return p.key; });
  check(Exit::data, first != packets.end(), "has no key frame among its {} frames", packets.size());
  const bool recorded = std::string_view(file.container()) == "mpegts";
  check(Exit::data, recorded || first == packets.begin(),
        "is damaged at its beginning: the first frame that can be shown is the one of packet {}",
        first - packets.begin());
  for (auto p = first; p != packets.end(); ++p)
    if (!p->hidden && p->pts >= first->pts) timeline.frames.push_back({p->pts, p - packets.begin()});
  check(Exit::data, !timeline.frames.empty(), "holds no frame that can be shown");
  auto sorted = timeline.frames;
  std::sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) { return a.stamp < b.stamp; });
  timeline.by_order = order_only(packets, sorted);
  if (timeline.by_order) {
    time_by_order(timeline, packets, stream);
  } else {
    for (const Timeline::Frame& f : sorted)
      timeline.info.times.push_back(seconds(stream, f.stamp - sorted.front().stamp));
    timeline.frames = std::move(sorted);
  }
}

void describe(Timeline& timeline, const std::vector<Stamped>& packets, const VideoFile& file) {
  const AVStream& stream = file.stream();
  const AVCodecParameters& p = *stream.codecpar;
  VideoInfo& info = timeline.info;
  info.frames = static_cast<i64>(timeline.frames.size());
  const double last = info.times.back();
  const double each = info.frames > 1 ? last / static_cast<double>(info.frames - 1) : nominal_duration(stream, packets);
  const double told = seconds(stream, packets[static_cast<std::size_t>(timeline.frames.back().packet)].duration);
  info.duration = last + (told > 0 && told <= 10 * each ? told : each);  // a last frame of hours is a mistake
  info.fps = 1 / each;
  info.orientation = file.orientation();
  info.height = info.orientation >= 5 ? p.width : p.height;
  info.width = info.orientation >= 5 ? p.height : p.width;
  if (p.sample_aspect_ratio.num > 0 && p.sample_aspect_ratio.den > 0) info.pixel_aspect = av_q2d(p.sample_aspect_ratio);
  info.container = file.container();
  info.codec = avcodec_get_name(p.codec_id);
}

}  // namespace

Timeline read_timeline(VideoFile& file) {
  const std::vector<Stamped> packets = read_packets(file);
  check(Exit::data, !packets.empty(), "holds no frame");
  Timeline timeline;
  sort_frames(timeline, packets, file);
  sort_groups(timeline, packets);
  describe(timeline, packets, file);
  return timeline;
}

i64 Timeline::at_stamp(i64 stamp) const {
  const auto at =
      std::lower_bound(frames.begin(), frames.end(), stamp, [](const Frame& f, i64 s) { return f.stamp < s; });
  return at != frames.end() && at->stamp == stamp ? at - frames.begin() : -1;
}

}  // namespace dactyl
#endif
