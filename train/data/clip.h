// A decoded clip.
#pragma once

#include <cstdint>
#include <vector>

#include "train/data/image.h"

namespace dactyl {

// Pixels of consecutive pictures: 8 bits, red green blue, (D, H, W, 3), no padding.
struct Clip {
  int frames = 0, height = 0, width = 0;
  std::vector<std::uint8_t> rgb;
};

inline std::size_t frame_bytes(const Clip& clip) {
  return 3 * static_cast<std::size_t>(clip.height) * static_cast<std::size_t>(clip.width);
}
inline std::uint8_t* frame(Clip& clip, int i) {
  return clip.rgb.data() + static_cast<std::size_t>(i) * frame_bytes(clip);
}
inline const std::uint8_t* frame(const Clip& clip, int i) {
  return clip.rgb.data() + static_cast<std::size_t>(i) * frame_bytes(clip);
}
Image picture(const Clip&, int i);  // a copy of frame i

}  // namespace dactyl
