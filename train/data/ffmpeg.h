// FFmpeg's objects as owners that free themselves. Internal to the readers and writers of video; only for builds with
// DACTYL_FFMPEG.
#pragma once

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavcodec/bsf.h>
#include <libavformat/avformat.h>
#include <libavutil/display.h>
#include <libavutil/opt.h>
#include <libavutil/pixdesc.h>
#include <libswscale/swscale.h>
}

#include <memory>
#include <string>

#include "engine/check.h"

namespace dactyl::ffmpeg {

// Calls one of FFmpeg's functions that take the address of the pointer.
template <auto function>
struct Free {
  template <class T>
  void operator()(T* object) const {
    function(&object);
  }
};
struct FreeIo {
  void operator()(AVIOContext* io) const {
    av_freep(&io->buffer);
    avio_context_free(&io);
  }
};
struct FreeScaler {
  void operator()(SwsContext* scaler) const { sws_freeContext(scaler); }
};
struct FreeMuxer {
  void operator()(AVFormatContext* muxer) const { avformat_free_context(muxer); }
};

using Io = std::unique_ptr<AVIOContext, FreeIo>;
using Demuxer = std::unique_ptr<AVFormatContext, Free<avformat_close_input>>;
using Muxer = std::unique_ptr<AVFormatContext, FreeMuxer>;
using Codec = std::unique_ptr<AVCodecContext, Free<avcodec_free_context>>;
using BitFilter = std::unique_ptr<AVBSFContext, Free<av_bsf_free>>;
using Packet = std::unique_ptr<AVPacket, Free<av_packet_free>>;
using Frame = std::unique_ptr<AVFrame, Free<av_frame_free>>;
using Scaler = std::unique_ptr<SwsContext, FreeScaler>;

// Makes FFmpeg silent: what it has to say reaches the user through our errors alone. Called before anything else of it.
void listen();
// How many errors demuxers and decoders have reported on this thread: they go on after many that spoil the pictures.
struct Complaints {
  i64 demuxer = 0, decoder = 0;
};
const Complaints& complaints();
// What an error code means (0: nothing), and the last error FFmpeg reported on this thread since the last call; one
// line.
std::string reason(int code);

// Null means that memory ran out.
template <class Owner>
Owner owned(typename Owner::pointer object, const char* what) {
  check(Exit::memory, object != nullptr, "video: no memory for {}", what);
  return Owner(object);
}
inline Packet new_packet() { return owned<Packet>(av_packet_alloc(), "a packet"); }
inline Frame new_frame() { return owned<Frame>(av_frame_alloc(), "a frame"); }

}  // namespace dactyl::ffmpeg
