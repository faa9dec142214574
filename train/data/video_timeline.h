// When each frame of a video is shown, found out from its packets. Internal; only for builds with DACTYL_FFMPEG.
#pragma once

#include "train/data/video_file.h"

namespace dactyl {

struct Timeline {
  struct Frame {
    i64 stamp;   // of its packet, in the stream's unit
    i64 packet;  // its place in the file
  };
  struct PacketFacts {
    i64 group = 0;         // counts key frames
    bool leading = false;  // shown before the key frame it was sent after: refers to the group before as well
  };
  std::vector<Frame> frames;         // in the order shown
  std::vector<PacketFacts> packets;  // in the order of the file
  // Stamps are missing or contradict each other: the n-th frame decoded is the n-th shown, and all must be there.
  bool by_order = false;
  VideoInfo info;  // with the frames' times

  i64 at_stamp(i64 stamp) const;  // index into frames, −1: none
};

// Reads all packets. Frames that cannot be shown are left out: those before the first key frame, those an edit list
// cuts off, those meant for reference alone. Throws Exit::data where nothing is left, or the file is cut.
Timeline read_timeline(VideoFile& file);

}  // namespace dactyl
