// Video files to frames, chosen by the time at which they are shown.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "train/data/image.h"

namespace dactyl {

struct VideoLimits {
  i64 file_bytes = i64{8} << 30;
  i64 side = 4096;  // after cropping, before rotation
  i64 streams = 32;
  i64 frames = 500'000;           // five and a half hours at 25 per second
  i64 clip_bytes = i64{2} << 30;  // of all frames one call returns
  double seconds = 120;           // of wall-clock time one call may take
};

using Times = std::vector<double>;  // seconds, ascending

// Time 0 is when the first frame is shown. Frames lie as they were shown, not as they were stored: B-frames sorted,
// edit lists obeyed, the variable rate of telephones as it was.
struct VideoInfo {
  i64 frames = 0;
  Times times;                // when each frame appears
  double duration = 0;        // seconds, from the first frame to the end of the last one
  double fps = 0;             // on average
  int height = 0, width = 0;  // as it is to be looked at: after rotation
  int orientation = 1;        // EXIF's number (1…8) for the rotation and mirroring that is applied
  double pixel_aspect = 1;    // width of a pixel over its height; noted, not applied
  std::string container, codec;
};

// The frame that lies nearest: the earlier one of two as near, the last one for times after the end.
i64 nearest_frame(const Times& frames, double time);

// Reads a file's packets to the end but decodes nothing. Read are MP4 and MOV, Matroska and WebM, AVI, MPEG-TS, GIF.
// Only the named file is opened: no playlists, no references. Throws Exit::data, one line: the path, what is wrong,
// where, the limit. A file that ends before what its header promises is refused whole.
VideoInfo probe_video(const std::string& path, const VideoLimits& = {});

// For each list of frames (indices, in any order, repeated or not) a clip. One pass of decoding from the start to the
// last frame needed serves all lists. RGB as the file says (range, BT.601, 709 or 2020; where it says nothing 709 from
// 720 rows on, else 601), turned upright. Throws Exit::data as above, and when a frame asked for is damaged or was
// decoded with the help of one that is: nothing is repeated or patched silently. Equal bytes on every machine with the
// same FFmpeg. Uses one thread; safe to call from many.
using FrameLists = std::vector<std::vector<i64>>;
using Choose = std::function<FrameLists(const VideoInfo&)>;  // called once the times are known
std::vector<Image> read_chosen(const std::string& path, const Choose& choose, const VideoLimits& = {});
// The same for times: the nearest frame of each.
std::vector<Image> read_clips(const std::string& path, const std::vector<Times>& lists, const VideoLimits& = {});
Image read_clip(const std::string& path, const Times& times, const VideoLimits& = {});
// Every frame, in order.
Image read_video(const std::string& path, const VideoLimits& = {});
// Decodes every frame and keeps none; throws what reading them would.
VideoInfo check_video(const std::string& path, const VideoLimits& = {});

}  // namespace dactyl
