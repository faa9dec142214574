// Which moments of a video a clip consists of: pure functions of (seed, epoch, sample).
#pragma once

#include <string>
#include <vector>

#include "train/data/video.h"

namespace dactyl {

// uniform: the middles of `frames` equal parts. segments: a random moment of each of those parts. window: consecutive
// frames from a random start. centre: consecutive frames around the middle. dense: consecutive frames, every
// `stride`-th start from the beginning on, the last window ending with the video.
enum class Sampling { uniform, segments, window, centre, dense };

struct ClipSampling {
  Sampling kind = Sampling::uniform;
  int frames = 20;
  double fps = 0;  // of consecutive frames; 0: the video's own
  int stride = 0;  // of dense; 0: `frames`, side by side
};
// "uniform=20", "segments=20", "window=64", "window=64@25", "centre=64@25", "dense=64@25/32"; throws a usage error.
ClipSampling parse_sampling(const std::string& text);
std::string to_text(const ClipSampling&);

// Of a video too short for consecutive frames the last one is held: going back to the start would be a movement that
// never happened. Times may lie half a frame outside the video; nearest_frame gives them a frame. dense gives several
// lists, the others one.
std::vector<Times> sample_times(const ClipSampling&, const VideoInfo&, std::uint64_t seed, i64 epoch, i64 sample);

}  // namespace dactyl
