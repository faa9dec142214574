// A video file, opened so that nothing but itself is read. Internal; only for builds with DACTYL_FFMPEG.
#pragma once

#include <chrono>

#include "train/data/ffmpeg.h"
#include "train/data/regular_file.h"
#include "train/data/video.h"

namespace dactyl {

// Refuses an MP4 one of whose outermost boxes does not fit into the file.
void check_boxes(const RegularFile& file);

class VideoFile {
 public:
  // Errors do not name the path.
  VideoFile(const std::string& path, const VideoLimits& limits);
  VideoFile(const VideoFile&) = delete;
  VideoFile& operator=(const VideoFile&) = delete;

  void rewind();                  // back to the first packet
  bool next(AVPacket& packet);    // of the video stream; false at the end; throws where the file is cut or damaged
  bool ends_in_a_packet() const;  // of a transport stream, whose packets have one length
  const AVStream& stream() const { return *stream_; }
  const char* container() const { return demuxer_name_; }
  const VideoLimits& limits() const { return limits_; }
  ffmpeg::Codec decoder() const;  // opened, one thread
  int orientation() const;        // EXIF's number for the stream's display matrix
  void check_deadline() const;

 private:
  void open();
  void find_streams();
  void choose_stream();
  void check_size(const AVCodecParameters&) const;
  static int read(void* self, std::uint8_t* to, int bytes);
  static std::int64_t seek(void* self, std::int64_t offset, int whence);
  bool late() const { return std::chrono::steady_clock::now() > deadline_; }

  const VideoLimits& limits_;
  RegularFile file_;
  std::chrono::steady_clock::time_point deadline_;
  const char* demuxer_name_;
  i64 at_ = 0;
  bool failed_ = false;  // reading the file itself failed
  ffmpeg::Io io_;        // outlives the demuxer that reads from it
  ffmpeg::Demuxer demuxer_;
  AVStream* stream_ = nullptr;
};

}  // namespace dactyl
