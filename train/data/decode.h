// The two file formats behind decode(): what is examined before a decoder sees the bytes, and the decoders.
#pragma once

#include "train/data/image.h"

namespace dactyl {

using Bytes = std::span<const std::uint8_t>;

// What a file's first bytes look like ("HEIC", "a playlist"); empty if nothing known.
std::string looks_like(Bytes bytes);

// Refuses sides of 0 and above the limits; `format` starts the error text.
void check_sides(const char* format, i64 height, i64 width, const ImageLimits& limits);

struct JpegFacts {
  int height = 0, width = 0, components = 0;
  bool adobe = false;   // an Adobe marker: four colours are stored inverted
  int orientation = 1;  // EXIF, 1…8
};
// Walks all markers from start to end of image. Throws unless the frame is one we decode (8 bits, Huffman, baseline or
// progressive) and every coefficient of every component has been sent in full.
JpegFacts examine_jpeg(Bytes bytes, const ImageLimits& limits);

// What a decoder needs of a PNG, in a file of its own: header, palette, transparency, pixels.
struct PngFacts {
  int height = 0, width = 0, depth = 0;
  int orientation = 1;
  std::vector<std::uint8_t> essence;
  int colours = 0;                    // in the palette, where the depth could name more
  std::vector<std::uint8_t> indices;  // then: the same pixels as a grey picture, so that they can be compared with it
};
// Throws unless every chunk's CRC is right and the pixels inflate to exactly the bytes the header promises, with the
// checksum behind them.
PngFacts examine_png(Bytes bytes, const ImageLimits& limits);

Image decode_jpeg(Bytes bytes, const ImageLimits& limits);
Image decode_png(Bytes bytes, const ImageLimits& limits);

// The orientation tag of a TIFF directory (EXIF without its "Exif\0\0"); 1 where it is missing or damaged.
int exif_orientation(Bytes tiff);
// Turned and mirrored so that the picture stands upright.
Image oriented(Image image, int orientation);

}  // namespace dactyl
