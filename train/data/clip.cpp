// Parts of clips.
#include "train/data/clip.h"

namespace dactyl {

Image picture(const Clip& clip, int i) {
  check(i >= 0 && i < clip.frames, "clip: frame {} of {}", i, clip.frames);
  return {clip.height, clip.width, {frame(clip, i), frame(clip, i) + frame_bytes(clip)}};
}

}  // namespace dactyl
