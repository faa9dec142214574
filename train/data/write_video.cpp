// Frames to H.264 in MP4, through libx264.
#include "train/data/write_video.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include "weights/checkpoint.h"
#ifdef DACTYL_FFMPEG
#include "train/data/ffmpeg.h"
#endif

namespace dactyl {
namespace {

void check_clip(const std::string& path, const Image& clip, double fps, const VideoOptions& options) {
  check(Exit::usage,
        clip.frames > 0 && clip.height > 0 && clip.width > 0 &&
            clip.rgb.size() == static_cast<std::size_t>(clip.frames) * clip.frame_bytes(),
        "{}: a clip of {} frames of {} x {} with {} bytes is no video", path, clip.frames, clip.height, clip.width,
        clip.rgb.size());
  check(Exit::usage, fps >= 0.1 && fps <= 1000, "{}: {} frames per second; 0.1 to 1000 are possible", path, fps);
  check(Exit::usage, options.crf >= 0 && options.crf <= 51, "{}: a CRF of {}; 0 to 51 are possible", path, options.crf);
  check(Exit::usage, options.times.empty() || options.times.size() == static_cast<std::size_t>(clip.frames),
        "{}: {} times for {} frames", path, options.times.size(), clip.frames);
  check(Exit::usage,
        std::adjacent_find(options.times.begin(), options.times.end(), std::greater_equal<>()) == options.times.end(),
        "{}: the frames' times do not ascend", path);
}

}  // namespace

#ifdef DACTYL_FFMPEG
namespace {

using namespace ffmpeg;

constexpr std::size_t io_bytes = 1 << 16;

void require(int code, const std::string& path, const char* doing) {
  check(Exit::data, code >= 0, "{}: {} failed: {}", path, doing, code < 0 ? reason(code) : "");
}

// A file that grows in memory: the muxer goes back to fill in sizes, and the disk sees only what is complete.
struct Content {
  std::string bytes;
  std::size_t at = 0;

  static int write(void* self, std::uint8_t* data, int count) {
    auto& content = *static_cast<Content*>(self);
    const auto n = static_cast<std::size_t>(count);
    content.bytes.resize(std::max(content.bytes.size(), content.at + n));
    std::copy_n(data, n, content.bytes.begin() + static_cast<std::ptrdiff_t>(content.at));
    content.at += n;
    return count;
  }
  static std::int64_t seek(void* self, std::int64_t offset, int whence) {
    auto& content = *static_cast<Content*>(self);
    const auto size = static_cast<std::int64_t>(content.bytes.size());
    if (whence == AVSEEK_SIZE) return size;
    const std::int64_t to =
        offset + (whence == SEEK_CUR ? static_cast<std::int64_t>(content.at) : (whence == SEEK_END ? size : 0));
    if (to < 0) return AVERROR(EINVAL);
    content.at = static_cast<std::size_t>(to);
    return to;
  }
};

class Writer {
 public:
  Writer(const std::string& path, const Image& clip, double fps, const VideoOptions& options)
      : path_(path), clip_(clip), options_(options), rate_(av_d2q(fps, 100'000)) {
    // Microseconds where times are free, else the frame's number.
    tick_ = options.times.empty() ? av_inv_q(rate_) : AVRational{1, 1'000'000};
    open_encoder();
    open_filter();
    open_muxer();
    open_scaler();
  }

  std::string run() {
    for (int i = 0; i < clip_.frames; ++i) {
      convert(i);
      require(avcodec_send_frame(encoder_.get(), frame_.get()), path_, "encoding");
      drain();
    }
    require(avcodec_send_frame(encoder_.get(), nullptr), path_, "encoding");
    drain();
    require(av_write_trailer(muxer_.get()), path_, "finishing the file");
    avio_flush(io_.get());
    return std::move(content_.bytes);
  }

 private:
  void open_encoder() {
    const AVCodec* codec = avcodec_find_encoder_by_name("libx264");
    check(Exit::usage, codec != nullptr, "{}: FFmpeg here was built without libx264, so H.264 cannot be written",
          path_);
    encoder_ = owned<Codec>(avcodec_alloc_context3(codec), "an encoder");
    AVCodecContext& c = *encoder_;
    c.width = clip_.width;
    c.height = clip_.height;
    c.time_base = tick_;
    c.framerate = rate_;
    // Chroma of half the size needs even sides.
    c.pix_fmt = clip_.width % 2 || clip_.height % 2 ? AV_PIX_FMT_YUV444P : AV_PIX_FMT_YUV420P;
    c.color_range = AVCOL_RANGE_MPEG;
    c.colorspace = AVCOL_SPC_BT709;
    c.color_primaries = AVCOL_PRI_BT709;
    c.color_trc = AVCOL_TRC_BT709;
    c.gop_size = std::clamp(static_cast<int>(av_q2d(rate_)), 1, 250);
    c.thread_count = 1;
    c.flags |= AV_CODEC_FLAG_BITEXACT | AV_CODEC_FLAG_GLOBAL_HEADER;
    require(av_opt_set_int(c.priv_data, "crf", options_.crf, 0), path_, "setting the quality");
    require(avcodec_open2(&c, codec, nullptr), path_, "opening libx264");
  }

  // libx264 writes its version and settings as supplemental information; nothing needs them.
  void open_filter() {
    AVBSFContext* filter = nullptr;
    require(av_bsf_list_parse_str("filter_units=remove_types=6", &filter), path_, "making a filter");
    filter_.reset(filter);
    filter->time_base_in = encoder_->time_base;
    require(avcodec_parameters_from_context(filter->par_in, encoder_.get()), path_, "describing the stream");
    require(av_bsf_init(filter), path_, "making a filter");
  }

  void open_muxer() {
    AVFormatContext* muxer = nullptr;
    require(avformat_alloc_output_context2(&muxer, nullptr, "mp4", nullptr), path_, "making an MP4");
    muxer_.reset(muxer);
    auto* buffer = static_cast<unsigned char*>(av_malloc(io_bytes));
    check(Exit::memory, buffer != nullptr, "video: no memory for a buffer");
    io_ = owned<Io>(avio_alloc_context(buffer, io_bytes, 1, &content_, nullptr, Content::write, Content::seek),
                    "a buffer");
    muxer->pb = io_.get();
    muxer->flags |= AVFMT_FLAG_BITEXACT | AVFMT_FLAG_CUSTOM_IO;
    stream_ = avformat_new_stream(muxer, nullptr);
    check(Exit::memory, stream_ != nullptr, "video: no memory for a stream");
    require(avcodec_parameters_copy(stream_->codecpar, filter_->par_out), path_, "describing the stream");
    stream_->time_base = tick_;
    stream_->avg_frame_rate = rate_;
    require(avformat_write_header(muxer, nullptr), path_, "starting the file");
  }

  void open_scaler() {
    scaler_ = owned<Scaler>(
        sws_getContext(clip_.width, clip_.height, AV_PIX_FMT_RGB24, clip_.width, clip_.height, encoder_->pix_fmt,
                       SWS_BILINEAR | SWS_ACCURATE_RND | SWS_FULL_CHR_H_INP, nullptr, nullptr, nullptr),
        "converting colours");
    const int* bt709 = sws_getCoefficients(SWS_CS_ITU709);
    sws_setColorspaceDetails(scaler_.get(), bt709, 1, bt709, 0, 0, 1 << 16, 1 << 16);
    frame_ = new_frame();
    frame_->format = encoder_->pix_fmt;
    frame_->width = clip_.width;
    frame_->height = clip_.height;
    require(av_frame_get_buffer(frame_.get(), 0), path_, "making a frame");
  }

  void convert(int i) {
    require(av_frame_make_writable(frame_.get()), path_, "making a frame");
    const std::uint8_t* from[] = {clip_.frame(i)};
    const int stride[] = {3 * clip_.width};
    sws_scale(scaler_.get(), from, stride, 0, clip_.height, frame_->data, frame_->linesize);
    frame_->pts = options_.times.empty() ? i : std::llround(1e6 * (options_.times[static_cast<std::size_t>(i)]));
  }

  void drain() {
    const Packet packet = new_packet();
    for (int code; (code = avcodec_receive_packet(encoder_.get(), packet.get())) != AVERROR(EAGAIN);) {
      if (code == AVERROR_EOF) return filtered(nullptr);
      require(code, path_, "encoding");
      filtered(packet.get());
    }
  }

  void filtered(AVPacket* packet) {
    require(av_bsf_send_packet(filter_.get(), packet), path_, "filtering");
    const Packet out = new_packet();
    for (int code; (code = av_bsf_receive_packet(filter_.get(), out.get())) >= 0;) {
      av_packet_rescale_ts(out.get(), filter_->time_base_out, stream_->time_base);
      out->stream_index = 0;
      out->duration = av_rescale_q(1, av_inv_q(rate_), stream_->time_base);  // only the last frame's counts
      require(av_write_frame(muxer_.get(), out.get()), path_, "writing");
      av_packet_unref(out.get());
    }
  }

  const std::string& path_;
  const Image& clip_;
  const VideoOptions& options_;
  AVRational rate_, tick_;
  Content content_;
  Codec encoder_;
  BitFilter filter_;
  Io io_;  // outlives the muxer that writes to it
  Muxer muxer_;
  AVStream* stream_ = nullptr;
  Scaler scaler_;
  Frame frame_;
};

}  // namespace

void write_video(const std::string& path, const Image& clip, double fps, const VideoOptions& options) {
  check_clip(path, clip, fps, options);
  ffmpeg::listen();
  write_atomically(path, Writer(path, clip, fps, options).run());
}

#else

void write_video(const std::string& path, const Image& clip, double fps, const VideoOptions& options) {
  check_clip(path, clip, fps, options);
  fail(Exit::usage,
       "{}: this build has no FFmpeg; install libavformat-dev and its siblings (apps/setup.sh) and rebuild", {path});
}

#endif

}  // namespace dactyl
