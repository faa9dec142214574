// Separable resampling in fixed point: rows first, then columns, rounded once, at the end. Integers, so that every
// machine gets the same bytes; PIL, which also rounds in between, differs by one step in a third of them.
#include <algorithm>

#include "kernels/jpeg_planes.h"
#include "train/data/image.h"
#include "train/data/load_stage.h"
#include "train/data/taps.h"

namespace dactyl {
namespace {

// One row of (…, channels) bytes to taps.first.size() pixels in units of 1/64.
template <int channels>
void resample_row(const Taps& taps, const std::uint8_t* from, std::uint16_t* to) {
  constexpr int drop = weight_bits - between_bits;
  for (std::size_t i = 0; i < taps.first.size(); ++i, to += channels) {
    const std::uint8_t* x = from + channels * taps.first[i];
    const std::int32_t* w = &taps.weight[i * static_cast<std::size_t>(taps.width)];
    std::int32_t sum[channels];
    std::fill(sum, sum + channels, 1 << (drop - 1));
    for (int k = 0; k < taps.count[i]; ++k, x += channels)
      for (int c = 0; c < channels; ++c) sum[c] += w[k] * x[c];
    for (int c = 0; c < channels; ++c) to[c] = static_cast<std::uint16_t>(sum[c] >> drop);
  }
}

// `count` rows of `width` values in units of 1/64, weighed and added, to bytes.
void blend_rows(const std::int32_t* weight, int count, const std::uint16_t* rows, std::size_t width, std::int32_t* sums,
                std::uint8_t* to) {
  constexpr int drop = column_weight_bits + between_bits, narrower = weight_bits - column_weight_bits;
  std::fill(sums, sums + width, 1 << (drop - 1));
  for (int k = 0; k < count; ++k, rows += width) {
    const std::int32_t w = (weight[k] + (1 << (narrower - 1))) >> narrower;
    for (std::size_t i = 0; i < width; ++i) sums[i] += w * rows[i];
  }
  for (std::size_t i = 0; i < width; ++i) to[i] = static_cast<std::uint8_t>(std::min(sums[i] >> drop, 255));
}

// The part (top, left, part.height, part.width) of every frame as it would be at height × width.
template <int channels>
void resample(const Image& image, int height, int width, Filter filter, int top, int left, Image& part) {
  const Taps across = taps_for(image.width, width, left, part.width, filter);
  const Taps down = taps_for(image.height, height, top, part.height, filter);
  const int begin = down.begin(), end = down.end();
  const std::size_t row = part.row_bytes();
  std::vector<std::uint16_t> narrow(static_cast<std::size_t>(end - begin) * row);
  std::vector<std::int32_t> sums(row);
  std::uint8_t* to = part.rgb.data();
  for (int d = 0; d < image.frames; ++d) {
    for (int y = begin; y < end; ++y)
      resample_row<channels>(across, &image.rgb[static_cast<std::size_t>(d * image.height + y) * image.row_bytes()],
                             &narrow[static_cast<std::size_t>(y - begin) * row]);
    for (std::size_t y = 0; y < static_cast<std::size_t>(part.height); ++y, to += row)
      blend_rows(&down.weight[y * static_cast<std::size_t>(down.width)], down.count[y],
                 &narrow[static_cast<std::size_t>(down.first[y] - begin) * row], row, sums.data(), to);
  }
}

Image resized_part(const Image& image, int height, int width, Filter filter, int top, int left, int part_height,
                   int part_width) {
  check(height > 0 && width > 0 && image.height > 0 && image.width > 0, "resize: from {} x {} to {} x {}", image.height,
        image.width, height, width);
  check(image.channels == 3 || image.channels == 2, "resize: {} channels; pictures have 3, flow has 2", image.channels);
  const Staged resizing(LoadStage::resize);
  if (height == image.height && width == image.width) return cropped(image, top, left, part_height, part_width);
  Image part{part_height, part_width, {}, image.frames, image.channels};
  part.rgb.resize(part.frame_bytes() * static_cast<std::size_t>(image.frames));
  const auto run = image.channels == 3 ? resample<3> : resample<2>;
  run(image, height, width, filter, top, left, part);
  return part;
}

}  // namespace

Image resized(const Image& image, int height, int width, Filter filter) {
  return resized_part(image, height, width, filter, 0, 0, height, width);
}

Image prepared(const Image& image, const InputSpec& input) {
  const Preparation p = preparation(image.height, image.width, input);
  return resized_part(image, p.height, p.width, input.filter, p.top, p.left, p.side, p.side);
}

}  // namespace dactyl
