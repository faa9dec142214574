// Changes of whole clips, and of the flow between their frames.
#include <algorithm>
#include <cmath>

#include "train/data/augment.h"

namespace dactyl {

Clip augmented(const AugmentOptions& options, const Clip& clip, std::uint64_t seed, i64 epoch, i64 sample) {
  if (options.zoom == 0 && options.rotate == 0) return clip;
  Clip result{clip.frames, clip.height, clip.width, {}};
  result.rgb.reserve(clip.rgb.size());
  for (int f = 0; f < clip.frames; ++f) {
    const Image changed = augmented(options, picture(clip, f), seed, epoch, sample);
    result.rgb.insert(result.rgb.end(), changed.rgb.begin(), changed.rgb.end());
  }
  return result;
}

std::vector<Geometry> repeated(const Geometry& geometry, int frames) {
  return std::vector<Geometry>(static_cast<std::size_t>(frames), geometry);
}

// A point at p from the centre goes to f (c x − s y, s x + c y), and so do differences of points; a mirror turns x
// round.
FlowChange flow_change(const AugmentOptions& options, const Geometry& of_clip, std::uint64_t seed, i64 epoch,
                       i64 sample) {
  const Warp warp = drawn_warp(options, seed, epoch, sample);
  const auto cosine = static_cast<float>(warp.factor * std::cos(warp.angle));
  const auto sine = static_cast<float>(warp.factor * std::sin(warp.angle));
  const float right = of_clip[2] != 0 ? -1.0f : 1.0f;
  return {{of_clip[0], of_clip[1], of_clip[2], 0, 1, 1, 0, 0}, right * cosine, -right * sine, sine, cosine};
}

}  // namespace dactyl
