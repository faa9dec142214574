// From the planes of a decoded JPEG to a prepared picture: chroma upsampled and made RGB as libjpeg-turbo does, turned
// as EXIF says, resampled as on the host. Integers throughout: the same planes give the same bytes on every device.
#pragma once

#include <cstdint>

#include "engine/device.h"
#include "engine/dtype.h"

namespace dactyl {

// Resampling, of 31 bits: a picture's 8 and a weight's 22 in a row; then 8 and 6 of the blended row and a weight's 16
// in a column. One is left for sums slightly above 1.
constexpr int weight_bits = 22, between_bits = 6, column_weight_bits = 16;

// Which inputs make output i, and how much of each (train/data/taps.h).
struct TapList {
  const std::int32_t *first, *count, *weight;  // (outputs), (outputs), (outputs, width)
  int outputs, width;
};

// Luma (height, width) and the two planes of chroma, each smaller by whole factors and rounded up; of a grey picture
// luma alone is read.
struct JpegPlanes {
  std::uint8_t *luma, *blue, *red;
  int luma_pitch, chroma_pitch;  // bytes from row to row
  int height, width;             // as stored
  int across, down;              // luma samples per sample of chroma: 1, 1 or 2, 1 or 2, 2
  bool grey;
  int orientation;  // EXIF, 1…8: how a picture as stored is shown
};

struct Colour {
  std::int32_t red, green, blue;  // 0…255
};

// Rows and columns below are those of the picture as it is shown.
class JpegPixels {
 public:
  HD explicit JpegPixels(const JpegPlanes& planes)
      : p_(planes), columns_((p_.width + p_.across - 1) / p_.across), rows_((p_.height + p_.down - 1) / p_.down) {}

  HD Colour at(int y, int x) const {
    const int o = p_.orientation;
    const bool turned = o >= 5, upside = o == 3 || o == 4 || o == 7 || o == 8;
    const bool mirrored = o == 2 || o == 3 || o == 6 || o == 7;
    if (upside) y = (turned ? p_.width : p_.height) - 1 - y;
    if (mirrored) x = (turned ? p_.height : p_.width) - 1 - x;
    return turned ? stored(x, y) : stored(y, x);
  }

 private:
  HD Colour stored(int row, int column) const {
    const std::int32_t light = p_.luma[std::int64_t{row} * p_.luma_pitch + column];
    if (p_.grey) return {light, light, light};
    const std::int32_t b = chroma(p_.blue, row, column) - 128, r = chroma(p_.red, row, column) - 128;
    constexpr std::int32_t half = 1 << 15;
    return {byte(light + ((91881 * r + half) >> 16)), byte(light + ((-22554 * b - 46802 * r + half) >> 16)),
            byte(light + ((116130 * b + half) >> 16))};
  }
  HD static std::int32_t byte(std::int32_t v) { return v < 0 ? 0 : v > 255 ? 255 : v; }

  // libjpeg's triangle: three parts of the nearest sample, one of the next nearest, along each axis that is halved; the
  // edge goes on outside; rounding alternates. Up to two samples wide, it repeats them.
  HD std::int32_t chroma(const std::uint8_t* plane, int row, int column) const {
    if (p_.across == 1) return plane[std::int64_t{row} * p_.chroma_pitch + column];
    const int c = column / 2, beside = column % 2 ? c + 1 : c - 1, r = row / p_.down;
    if (columns_ <= 2) return plane[std::int64_t{r} * p_.chroma_pitch + c];
    const bool edge = beside < 0 || beside >= columns_;
    if (p_.down == 1) {
      const std::uint8_t* line = plane + std::int64_t{r} * p_.chroma_pitch;
      return edge ? line[c] : (3 * line[c] + line[beside] + 1 + column % 2) >> 2;
    }
    const int next = row % 2 ? (r + 1 < rows_ ? r + 1 : r) : (r > 0 ? r - 1 : r);
    const std::uint8_t* near = plane + std::int64_t{r} * p_.chroma_pitch;
    const std::uint8_t* far = plane + std::int64_t{next} * p_.chroma_pitch;
    const std::int32_t here = 3 * near[c] + far[c], there = edge ? here : 3 * near[beside] + far[beside];
    return (3 * here + there + 8 - column % 2) >> 4;
  }

  JpegPlanes p_;
  int columns_, rows_;  // of chroma
};

// to: u8 (down.outputs, across.outputs, 3). between: room for (rows, across.outputs, 3), the shown picture's rows
// [first_row, first_row + rows) that `down` reads. All of it in the memory of the current context's device; queued.
void prepare_planes(const JpegPlanes& planes, const TapList& across, const TapList& down, int first_row, int rows,
                    std::uint16_t* between, std::uint8_t* to);

}  // namespace dactyl
