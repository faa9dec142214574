// What the copy engine delivers of a run of pixels, in plain C++, by the driver's description of its mode for windows.
#pragma once

#include <array>
#include <vector>

#include "kernels/hopper/implicit_corners.h"
#include "tests/check_op.h"

namespace dactyl::hopper {

using Image = std::vector<float>;  // shared memory as numbers; offsets into it are in bytes, as in the kernels

// With a swizzle of 128 bytes, what is 16 bytes at column c of row r lies at column c xor r mod 8.
inline std::size_t swizzled(int address) { return static_cast<std::size_t>(address ^ (address >> 7 & 7) << 4) / 2; }

// A tensor of pixels of `channels` numbers, `pitch` from one to the next; depth, height, width.
struct Pixels {
  const bf16* numbers;
  int batch;
  std::array<int, 3> extent;
  i64 channels, pitch;

  float number(const Pixel& p, i64 channel) const {  // zero beyond the borders and the channels
    const int at[] = {p.d, p.h, p.w};
    i64 pixel = p.n;
    bool inside = p.n < batch && channel < channels;
    for (std::size_t i = 0; i < 3; ++i) {
      inside = inside && at[i] >= 0 && at[i] < extent[i];
      pixel = pixel * extent[i] + at[i];
    }
    return inside ? float(numbers[pixel * pitch + channel]) : 0;
  }
};
inline Pixels pixels(const bf16* numbers, int batch, const int (&extent)[3], i64 channels, i64 pitch) {
  return {numbers, batch, {extent[0], extent[1], extent[2]}, channels, pitch};
}

// A run of `count` places of the box from `at` on, 64 channels of each, as a tap sees them (depth, height, width, from
// the first tap on). It comes to lie at byte `to` of the image.
inline void copy_pixels(Image& image, int to, const Pixels& x, const Corners& box, Pixel at, std::array<int, 3> tap,
                        int count, i64 channel) {
  int* along[] = {&at.w, &at.h, &at.d};
  int end[3];
  for (std::size_t i = 0; i < 3; ++i) {
    end[i] = x.extent[2 - i] + box.high[i];
    ASSERT_TRUE(box.low[i] <= *along[i] && *along[i] < end[i]) << "a run begins beside its box";
    ASSERT_TRUE(std::min(box.low[i], box.high[i]) >= -16 && std::max(box.low[i], box.high[i]) <= 15) << "five bits";
  }
  for (int k = 0; k < count; ++k) {
    const Pixel seen{at.n, at.d + tap[0], at.h + tap[1], at.w + tap[2]};
    for (int c = 0; c < step_channels; ++c) image[swizzled(to + k * 128 + 2 * c)] = x.number(seen, channel + c);
    for (std::size_t i = 0; i < 3 && ++*along[i] == end[i]; ++i) {
      *along[i] = box.low[i];
      if (i == 2) ++at.n;
    }
  }
}

}  // namespace dactyl::hopper
