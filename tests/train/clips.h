// Clips made up by the tests: frames that say which they are, and pictures whose corners say which way is up.
#pragma once

#include "tests/train/pictures.h"
#include "train/data/image.h"

namespace dactyl {

inline void paint(Image& clip, int f, int top, int left, int bottom, int right, std::array<int, 3> colour) {
  for (int y = top; y < bottom; ++y)
    for (int x = left; x < right; ++x)
      for (int c = 0; c < 3; ++c)
        clip.frame(f)[3 * (y * clip.width + x) + c] = static_cast<std::uint8_t>(colour[static_cast<std::size_t>(c)]);
}

inline Image blank_clip(int frames, int height, int width) {
  Image clip{height, width, {}, frames};
  clip.rgb.resize(static_cast<std::size_t>(frames) * clip.frame_bytes());
  return clip;
}

// Eight upright bands, dark or bright: the bits of the frame's number. Survives any codec and pixel format.
inline Image numbered_clip(int frames, int height = 48, int width = 64, int first = 0) {
  Image clip = blank_clip(frames, height, width);
  for (int f = 0; f < frames; ++f)
    for (int bit = 0; bit < 8; ++bit) {
      const int level = (first + f) >> bit & 1 ? 220 : 30;
      paint(clip, f, 0, bit * width / 8, height, (bit + 1) * width / 8, {level, level, level});
    }
  return clip;
}

inline int number_on(const Image& clip, int f) {
  int number = 0;
  for (int bit = 0; bit < 8; ++bit) {
    const int x = (2 * bit + 1) * clip.width / 16;
    number |= (clip.frame(f)[3 * (clip.height / 2 * clip.width + x)] > 125) << bit;
  }
  return number;
}

inline std::vector<int> numbers_on(const Image& clip) {
  std::vector<int> numbers;
  for (int f = 0; f < clip.frames; ++f) numbers.push_back(number_on(clip, f));
  return numbers;
}

// Quarters: red, green above; blue, white below.
inline Image cornered_clip(int frames, int height = 48, int width = 64) {
  Image clip = blank_clip(frames, height, width);
  for (int f = 0; f < frames; ++f) {
    paint(clip, f, 0, 0, height / 2, width / 2, {200, 30, 30});
    paint(clip, f, 0, width / 2, height / 2, width, {30, 200, 30});
    paint(clip, f, height / 2, 0, height, width / 2, {30, 30, 200});
    paint(clip, f, height / 2, width / 2, height, width, {220, 220, 220});
  }
  return clip;
}

// The corners' names from the top left, row by row: "rgbw" stands upright.
inline std::string corners_on(const Image& clip, int f) {
  std::string names;
  for (const int y : {clip.height / 4, 3 * clip.height / 4})
    for (const int x : {clip.width / 4, 3 * clip.width / 4}) {
      const std::uint8_t* p = clip.frame(f) + 3 * (y * clip.width + x);
      const int r = p[0] > 125, g = p[1] > 125, b = p[2] > 125;
      names += r + g + b > 1 ? 'w' : r ? 'r' : g ? 'g' : b ? 'b' : '?';
    }
  return names;
}

}  // namespace dactyl
