// Pictures as they are in their files, examined, for a device to decode.
#pragma once

#include <memory>
#include <optional>

#include "train/data/decode.h"

namespace dactyl {

// A JPEG whose planes a device may decode: sequential, one scan, Huffman-coded; grey, or luma and chroma in one of the
// three usual proportions. What it shows has its sides exchanged where orientation is 5 or more.
struct JpegLayout {
  int height = 0, width = 0;  // as stored
  int across = 1, down = 1;   // luma samples per sample of chroma
  bool grey = false;
  int orientation = 1;

  int shown_height() const { return orientation >= 5 ? width : height; }
  int shown_width() const { return orientation >= 5 ? height : width; }
};
// None: for the host to decode, or to refuse. Unless `whole` says that it was done before, every code is read, which is
// half of a decoding: libjpeg-turbo alone notices all damage. In a build without it there is never a layout.
std::optional<JpegLayout> layout_for_device(Bytes jpeg, const JpegFacts& facts, bool whole);

struct CodedPicture {
  std::vector<std::uint8_t> bytes;
  JpegLayout layout;
};

// One of the two. Pixels, and errors about files, are those of read_image.
struct ReadPicture {
  std::shared_ptr<const CodedPicture> coded;
  Image image;
};
ReadPicture read_for_device(const std::string& path, bool whole, const ImageLimits& = {});

}  // namespace dactyl
