// Rows first, then columns, rounded once at the end: train/data/resize.cpp, with a JPEG's planes in place of pixels.
#include "kernels/jpeg_planes.h"

#include "engine/each.h"

namespace dactyl {
namespace {

// One pixel of a row that is narrowed, in units of 1/64.
struct Across {
  JpegPixels pixels;
  TapList taps;
  int first_row;
  std::uint16_t* to;

  HD void operator()(i64 i) const {
    constexpr int drop = weight_bits - between_bits;
    const auto index = static_cast<std::uint32_t>(i), outputs = static_cast<std::uint32_t>(taps.outputs);
    const int y = first_row + static_cast<int>(index / outputs), output = static_cast<int>(index % outputs);
    const std::int32_t* weight = taps.weight + i64{output} * taps.width;
    const int first = taps.first[output], count = taps.count[output];
    Colour sum{1 << (drop - 1), 1 << (drop - 1), 1 << (drop - 1)};
    for (int k = 0; k < count; ++k) {
      const Colour pixel = pixels.at(y, first + k);
      sum.red += weight[k] * pixel.red;
      sum.green += weight[k] * pixel.green;
      sum.blue += weight[k] * pixel.blue;
    }
    to[3 * i] = static_cast<std::uint16_t>(sum.red >> drop);
    to[3 * i + 1] = static_cast<std::uint16_t>(sum.green >> drop);
    to[3 * i + 2] = static_cast<std::uint16_t>(sum.blue >> drop);
  }
};

// One byte of the result.
struct Down {
  const std::uint16_t* from;
  TapList taps;
  int first_row, row;  // row: numbers in one
  std::uint8_t* to;

  HD void operator()(i64 i) const {
    constexpr int drop = column_weight_bits + between_bits, narrower = weight_bits - column_weight_bits;
    const auto index = static_cast<std::uint32_t>(i), numbers = static_cast<std::uint32_t>(row);
    const int output = static_cast<int>(index / numbers), column = static_cast<int>(index % numbers);
    const std::int32_t* weight = taps.weight + i64{output} * taps.width;
    const std::uint16_t* x = from + i64{taps.first[output] - first_row} * row + column;
    const int count = taps.count[output];
    std::int32_t sum = 1 << (drop - 1);
    for (int k = 0; k < count; ++k, x += row) sum += ((weight[k] + (1 << (narrower - 1))) >> narrower) * *x;
    const std::int32_t value = sum >> drop;
    to[i] = static_cast<std::uint8_t>(value > 255 ? 255 : value);
  }
};

}  // namespace

void prepare_planes(const JpegPlanes& planes, const TapList& across, const TapList& down, int first_row, int rows,
                    std::uint16_t* between, std::uint8_t* to) {
  const Device device = Context::current().device();
  const int row = 3 * across.outputs;
  each(device, i64{rows} * across.outputs, Across{JpegPixels(planes), across, first_row, between});
  each(device, i64{down.outputs} * row, Down{between, down, first_row, row, to});
}

}  // namespace dactyl
