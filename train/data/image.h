// A decoded picture, and the way from a file's bytes to it.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "nets/model.h"

namespace dactyl {

// Pixels of one picture: 8 bits, red green blue, row by row (H, W, 3), no padding. A clip is a picture of several
// frames (D, H, W, 3); optical flow has two channels, u and v as bytes.
struct Image {
  int height = 0, width = 0;
  std::vector<std::uint8_t> rgb;
  int frames = 1, channels = 3;

  std::size_t row_bytes() const { return static_cast<std::size_t>(width) * static_cast<std::size_t>(channels); }
  std::size_t frame_bytes() const { return static_cast<std::size_t>(height) * row_bytes(); }
  std::uint8_t* frame(int i) { return rgb.data() + static_cast<std::size_t>(i) * frame_bytes(); }
  const std::uint8_t* frame(int i) const { return rgb.data() + static_cast<std::size_t>(i) * frame_bytes(); }
};
Image frame_of(const Image& clip, int frame);  // one of them alone

struct ImageLimits {
  i64 side = 16384, pixels = 178'000'000;
  i64 file_bytes = 512 << 20;
};

// JPEG or PNG bytes to pixels: complete or refused. JPEG: every scan finished and the end marker there; EXIF
// orientation applied; grey, CMYK and YCCK converted. PNG: every chunk's CRC right; 16 bits rounded to 8; alpha
// blended over black; palettes expanded. Throws Exit::data with the reason ("JPEG ends after 12,400 of …").
Image decode(std::span<const std::uint8_t> bytes, const ImageLimits& = {});
// A regular file, read whole and decoded; the error starts with the path.
Image read_image(const std::string& path, const ImageLimits& = {});

// Each frame to height × width, rounded to bytes once. Filter::antialias: PIL's triangle, which rounds twice, within one step.
Image resized(const Image&, int height, int width, Filter);
Image cropped(const Image&, int top, int left, int height, int width);
// What `input` asks for before its crop: warped to resize_to², or the short side resized and the centre square of
// resize_to² cut out; both sides at least the crop.
Image prepared(const Image&, const InputSpec& input);
void write_png(const std::string& path, const Image&);                 // atomically
void write_jpeg(const std::string& path, const Image&, int quality = 92);

}  // namespace dactyl
