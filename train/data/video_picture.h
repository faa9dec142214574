// Decoded frames to upright RGB. Internal; only for builds with DACTYL_FFMPEG.
#pragma once

#include "train/data/ffmpeg.h"
#include "train/data/image.h"

namespace dactyl {

// Any pixel format, by FFmpeg's scaler in its exact mode. Keeps the converter for frames of one kind.
class VideoPicture {
 public:
  explicit VideoPicture(int orientation) : orientation_(orientation) {}
  Image operator()(const AVFrame& frame);

 private:
  void prepare(const AVFrame& frame);

  struct Kind {
    int width = 0, height = 0, format = -1, space = -1, range = -1;
    bool operator==(const Kind&) const = default;
  };
  int orientation_;
  Kind kind_;
  ffmpeg::Scaler scaler_;
  std::vector<std::uint8_t> rows_;
};

}  // namespace dactyl
