// Which way up a camera held the picture: the EXIF tag, and turning the pixels accordingly.
#include "train/data/decode.h"

namespace dactyl {
namespace {

// Numbers of a TIFF directory in its own byte order; reads past the end give 0.
struct Tiff {
  Bytes bytes;
  bool little = false;

  std::uint32_t byte(std::size_t at) const { return at < bytes.size() ? bytes[at] : 0; }
  std::uint32_t half(std::size_t at) const {
    return little ? byte(at) | byte(at + 1) << 8 : byte(at) << 8 | byte(at + 1);
  }
  std::uint32_t word(std::size_t at) const {
    return little ? half(at) | half(at + 2) << 16 : half(at) << 16 | half(at + 2);
  }
};

}  // namespace

int exif_orientation(Bytes bytes) {
  const Tiff tiff{bytes, bytes.size() > 1 && bytes[0] == 'I' && bytes[1] == 'I'};
  if (tiff.half(2) != 42) return 1;
  const std::size_t directory = tiff.word(4), entries = tiff.half(directory);
  for (std::size_t i = 0; i < entries; ++i) {
    const std::size_t entry = directory + 2 + 12 * i;
    if (tiff.half(entry) != 0x0112 || tiff.half(entry + 2) != 3) continue;
    const auto value = static_cast<int>(tiff.half(entry + 8));
    return value >= 1 && value <= 8 ? value : 1;
  }
  return 1;
}

// Orientation o shows the picture's row 0 and column 0 at: 1 top left, 2 top right, 3 bottom right, 4 bottom left,
// 5 left top, 6 right top, 7 right bottom, 8 left bottom (EXIF 2.3, table 6).
Image oriented(Image image, int orientation) {
  if (orientation <= 1) return image;
  const bool turned = orientation >= 5;
  const int height = turned ? image.width : image.height, width = turned ? image.height : image.width;
  const bool upside = orientation == 3 || orientation == 4 || orientation == 7 || orientation == 8;
  const bool mirrored = orientation == 2 || orientation == 3 || orientation == 6 || orientation == 7;
  Image result{height, width, std::vector<std::uint8_t>(image.rgb.size())};
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const int from_y = upside ? height - 1 - y : y, from_x = mirrored ? width - 1 - x : x;
      const int row = turned ? from_x : from_y, column = turned ? from_y : from_x;
      const std::size_t from = 3 * (static_cast<std::size_t>(row) * static_cast<std::size_t>(image.width) +
                                    static_cast<std::size_t>(column));
      const std::size_t to =
          3 * (static_cast<std::size_t>(y) * static_cast<std::size_t>(width) + static_cast<std::size_t>(x));
      for (std::size_t c = 0; c < 3; ++c) result.rgb[to + c] = image.rgb[from + c];
    }
  }
  return result;
}

}  // namespace dactyl
