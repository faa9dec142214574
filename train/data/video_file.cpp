// Opening a video file: which demuxer, which stream, and what is refused before anything is decoded.
#ifdef DACTYL_FFMPEG
#include "train/data/video_file.h"

#include <algorithm>
#include <cstring>
#include <string_view>

#include "train/data/decode.h"

namespace dactyl {
namespace {

using namespace ffmpeg;

constexpr int io_bytes = 1 << 16;
constexpr const char* read_formats = "MP4, MOV, Matroska, WebM, AVI, MPEG-TS and GIF are read";
// Decoders that may run; what a file asks for beyond them is refused.
constexpr const char* decoders =
    "h264,hevc,vp8,vp9,libdav1d,mpeg1video,mpeg2video,mpeg4,h263,msmpeg4,msmpeg4v2,mjpeg,prores,dnxhd,ffv1,"
    "rawvideo,gif";

bool has(Bytes bytes, std::size_t at, std::string_view magic) {
  return bytes.size() >= at + magic.size() && std::memcmp(bytes.data() + at, magic.data(), magic.size()) == 0;
}

// Chosen here by the first bytes, so that FFmpeg tries no demuxer of its own choice. Null: none that is read.
const char* demuxer_for(Bytes bytes) {
  if (looks_like(bytes) == "HEIC" || looks_like(bytes) == "AVIF") return nullptr;
  for (const char* box : {"ftyp", "moov", "mdat", "free", "skip", "wide", "pnot"})
    if (has(bytes, 4, box)) return "mov";
  if (has(bytes, 0, "\x1A\x45\xDF\xA3")) return "matroska";
  if (has(bytes, 0, "RIFF") && has(bytes, 8, "AVI")) return "avi";
  if (has(bytes, 0, "GIF8")) return "gif";
  for (const auto& [first, period] : {std::pair(0u, 188u), {4u, 192u}})
    if (has(bytes, first, "G") && has(bytes, first + period, "G") && has(bytes, first + 2 * period, "G"))
      return "mpegts";
  return nullptr;
}

const char* chosen_demuxer(const RegularFile& file) {
  std::vector<std::uint8_t> head(static_cast<std::size_t>(std::min<i64>(file.size(), 1024)));
  file.read(0, head.data(), static_cast<i64>(head.size()));
  const char* name = demuxer_for(head);
  if (name) return name;
  const std::string seen = looks_like(head);
  check(Exit::data, seen.empty(), "is no video: looks like {}; {}", seen, read_formats);
  fail(Exit::data, "is no video known here; {}", {read_formats});
}

int refuse_open(AVFormatContext*, AVIOContext**, const char*, int, AVDictionary**) { return AVERROR(EPERM); }

}  // namespace

VideoFile::VideoFile(const std::string& path, const VideoLimits& limits)
    : limits_(limits),
      file_(path, "a video", limits.file_bytes),
      deadline_(std::chrono::steady_clock::now() + std::chrono::duration_cast<std::chrono::steady_clock::duration>(
                                                       std::chrono::duration<double>(limits.seconds))),
      demuxer_name_(chosen_demuxer(file_)) {
  if (demuxer_name_ == std::string_view("mov")) check_boxes(file_);
  listen();
  open();
}

void VideoFile::rewind() {
  demuxer_.reset();
  open();
}

void VideoFile::open() {
  at_ = 0;
  auto* buffer = static_cast<unsigned char*>(av_malloc(io_bytes));
  check(Exit::memory, buffer != nullptr, "video: no memory for a buffer");
  io_ = owned<Io>(avio_alloc_context(buffer, io_bytes, 0, this, read, nullptr, seek), "a buffer");
  AVFormatContext* demuxer = owned<Demuxer>(avformat_alloc_context(), "a demuxer").release();
  demuxer->pb = io_.get();
  demuxer->flags |= AVFMT_FLAG_CUSTOM_IO;
  demuxer->io_open = refuse_open;
  demuxer->interrupt_callback = {[](void* self) { return int{static_cast<VideoFile*>(self)->late()}; }, this};
  demuxer->probesize = 5 << 20;
  demuxer->max_analyze_duration = 5 * AV_TIME_BASE;
  demuxer->max_streams = static_cast<int>(limits_.streams);
  demuxer->protocol_whitelist = av_strdup("file");
  demuxer->format_whitelist = av_strdup(demuxer_name_);
  demuxer->codec_whitelist = av_strdup(decoders);
  const AVInputFormat* format = av_find_input_format(demuxer_name_);
  check(Exit::data, format != nullptr, "needs FFmpeg's reader \"{}\", which is not in this FFmpeg", demuxer_name_);
  const int code = avformat_open_input(&demuxer, "", format, nullptr);  // frees the demuxer where it fails
  demuxer_.reset(code < 0 ? nullptr : demuxer);
  check_deadline();
  check(Exit::data, code >= 0, "cannot be opened as {}: {}", demuxer_name_, code < 0 ? reason(code) : std::string());
  for (unsigned i = 0; i < demuxer_->nb_streams; ++i) check_size(*demuxer_->streams[i]->codecpar);
  find_streams();
  choose_stream();
}

// Looks into the first packets for what headers leave out.
void VideoFile::find_streams() {
  const std::string pixels = std::to_string(limits_.side * limits_.side);
  std::vector<AVDictionary*> options(demuxer_->nb_streams);
  for (AVDictionary*& option : options) av_dict_set(&option, "max_pixels", pixels.c_str(), 0);
  const int code = avformat_find_stream_info(demuxer_.get(), options.data());
  for (AVDictionary*& option : options) av_dict_free(&option);
  check_deadline();
  check(Exit::data, code >= 0, "its streams cannot be read: {}", code < 0 ? reason(code) : std::string());
}

// The first stream of moving pictures; a cover picture of an audio file is none.
void VideoFile::choose_stream() {
  stream_ = nullptr;
  bool audio = false;
  check(Exit::data, i64{demuxer_->nb_streams} <= limits_.streams, "has {} streams, the limit is {}",
        demuxer_->nb_streams, limits_.streams);
  for (unsigned i = 0; i < demuxer_->nb_streams; ++i) {
    AVStream& stream = *demuxer_->streams[i];
    const AVMediaType type = stream.codecpar->codec_type;
    audio |= type == AVMEDIA_TYPE_AUDIO;
    const bool moving = type == AVMEDIA_TYPE_VIDEO && !(stream.disposition & AV_DISPOSITION_ATTACHED_PIC);
    if (moving && !stream_)
      stream_ = &stream;
    else
      stream.discard = AVDISCARD_ALL;
  }
  check(Exit::data, stream_ != nullptr, "has no video{}", audio ? ", only sound" : " in it");
  check_size(*stream_->codecpar);
  check(Exit::data, stream_->codecpar->width > 0 && stream_->codecpar->height > 0,
        "the size of its pictures cannot be found; is it cut or damaged?");
}

void VideoFile::check_size(const AVCodecParameters& p) const {
  if (p.codec_type != AVMEDIA_TYPE_VIDEO) return;
  check(Exit::data, std::max(p.width, p.height) <= limits_.side,
        "{} x {} is too large, the limit is {} per side; make it smaller first", p.width, p.height, limits_.side);
}

bool VideoFile::next(AVPacket& packet) {
  for (;;) {
    av_packet_unref(&packet);
    const i64 complaints_before = complaints().demuxer;
    const int code = av_read_frame(demuxer_.get(), &packet);
    check_deadline();
    check(Exit::data, !failed_, "cannot be read past byte {}", at_);
    const bool sound = complaints().demuxer == complaints_before && (code >= 0 || code == AVERROR_EOF);
    check(Exit::data, sound, "is cut or damaged near byte {}: {}", at_, sound ? "" : reason(code));
    if (code == AVERROR_EOF) return false;
    if (packet.stream_index == stream_->index) return true;
  }
}

bool VideoFile::ends_in_a_packet() const {
  if (demuxer_name_ != std::string_view("mpegts")) return false;
  return file_.size() % 188 != 0 && file_.size() % 192 != 0 && file_.size() % 204 != 0;
}

ffmpeg::Codec VideoFile::decoder() const {
  const AVCodecParameters& p = *stream_->codecpar;
  const AVCodec* codec = avcodec_find_decoder(p.codec_id);
  check(Exit::data, codec != nullptr, "its format \"{}\" cannot be decoded here", avcodec_get_name(p.codec_id));
  Codec decoder = owned<Codec>(avcodec_alloc_context3(codec), "a decoder");
  decoder->codec_whitelist = av_strdup(decoders);
  decoder->max_pixels = limits_.side * limits_.side;
  decoder->thread_count = 1;
  decoder->err_recognition = AV_EF_CRCCHECK;
  decoder->pkt_timebase = stream_->time_base;
  int code = avcodec_parameters_to_context(decoder.get(), &p);
  if (code >= 0) code = avcodec_open2(decoder.get(), codec, nullptr);
  check(Exit::data, code >= 0, "its format \"{}\" is not decoded here: {}", codec->name,
        code < 0 ? reason(code) : std::string());
  return decoder;
}

// The matrix takes (x, y) to (a x + c y, b x + d y). Turned by something between the right angles: the nearest one.
int VideoFile::orientation() const {
  std::size_t bytes = 0;
  std::int32_t m[9];
  const std::uint8_t* data = av_stream_get_side_data(stream_, AV_PKT_DATA_DISPLAYMATRIX, &bytes);
  if (!data || bytes < sizeof m) return 1;
  std::memcpy(m, data, sizeof m);
  const i64 a = m[0], b = m[1], c = m[3], d = m[4];
  if (std::abs(a) + std::abs(d) >= std::abs(b) + std::abs(c)) return a >= 0 ? (d >= 0 ? 1 : 4) : (d >= 0 ? 2 : 3);
  return b >= 0 ? (c >= 0 ? 5 : 6) : (c >= 0 ? 8 : 7);
}

void VideoFile::check_deadline() const {
  check(Exit::data, !late(), "was not read within {} s, the limit; is it damaged or very long?", limits_.seconds);
}

int VideoFile::read(void* self, std::uint8_t* to, int bytes) {
  auto& file = *static_cast<VideoFile*>(self);
  if (file.late()) return AVERROR_EXIT;
  try {
    const i64 count = file.file_.read_some(file.at_, to, bytes);
    file.at_ += count;
    return count > 0 ? static_cast<int>(count) : AVERROR_EOF;
  } catch (const Error&) {
    file.failed_ = true;  // no exception may cross C
    return AVERROR(EIO);
  }
}

std::int64_t VideoFile::seek(void* self, std::int64_t offset, int whence) {
  auto& file = *static_cast<VideoFile*>(self);
  if (whence & AVSEEK_SIZE) return file.file_.size();
  const i64 from = whence == SEEK_CUR ? file.at_ : whence == SEEK_END ? file.file_.size() : 0;
  i64 to = 0;
  if (__builtin_add_overflow(from, offset, &to) || to < 0) return AVERROR(EINVAL);
  return file.at_ = to;
}

}  // namespace dactyl
#endif
