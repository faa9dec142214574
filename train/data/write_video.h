// Clips to H.264 files.
#pragma once

#include <string>
#include <vector>

#include "train/data/image.h"

namespace dactyl {

struct VideoOptions {
  int crf = 18;               // 0 (lossless) to 51; 18 is hard to tell from the original
  std::vector<double> times;  // seconds at which each frame appears, ascending; empty: frame i at i / fps
};

// An MP4 file (H.264, yuv420p, limited range, BT.709 and so tagged; an odd side makes it yuv444p), all or nothing.
// Equal clips give equal bytes: one thread, no dates, no version texts. A key frame at least once a second. Throws
// Exit::data where the file cannot be written, Exit::usage for a clip or options that make no video, or where this
// build has no FFmpeg or FFmpeg no libx264.
void write_video(const std::string& path, const Image&, double fps, const VideoOptions& = {});

}  // namespace dactyl
