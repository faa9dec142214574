// Separable resampling in fixed point: rows first, then columns, rounded once, at the end. Integers, so that every
// machine gets the same bytes; PIL, which also rounds in between, differs by one step in a third of them.
#include <algorithm>
#include <cmath>

#include "train/data/image.h"
#include "train/data/load_stage.h"

namespace dactyl {
namespace {

// Of 31 bits: a picture's 8 and a weight's 22 in a row; then 8 and 6 of the blended row and a weight's 16 in a column.
// One is left for sums slightly above 1.
constexpr int weight_bits = 22, between_bits = 6, column_weight_bits = 16;

// Which inputs make output i, and how much of each.
struct Taps {
  int width = 0;  // taps per output; unused ones weigh nothing
  std::vector<int> first, count;
  std::vector<std::int32_t> weight;  // (outputs, width)
};

double triangle(double x) { return std::max(0.0, 1 - std::abs(x)); }

// Outputs [begin, begin + n) of `from` samples brought to `to`: a triangle around the centre, as wide as the step when
// shrinking with antialias, else two neighbours. At the edges the weights that remain are scaled to sum to 1.
Taps taps_for(int from, int to, int begin, int n, Filter filter) {
  const double scale = static_cast<double>(from) / to;
  const double support = filter == Filter::antialias ? std::max(scale, 1.0) : 1.0;
  Taps taps;
  taps.width = static_cast<int>(std::ceil(support)) * 2 + 1;
  taps.weight.assign(static_cast<std::size_t>(n) * static_cast<std::size_t>(taps.width), 0);
  std::vector<double> share(static_cast<std::size_t>(taps.width));
  for (int i = 0; i < n; ++i) {
    const double centre = (begin + i + 0.5) * scale;
    const int first = std::max(0, static_cast<int>(centre - support + 0.5));
    const int last = std::min(from, static_cast<int>(centre + support + 0.5));
    double sum = 0;
    for (int k = first; k < last; ++k)
      sum += share[static_cast<std::size_t>(k - first)] = triangle((k - centre + 0.5) * (1 / support));
    auto* weight = &taps.weight[static_cast<std::size_t>(i) * static_cast<std::size_t>(taps.width)];
    for (int k = 0; k < last - first; ++k)
      weight[k] = static_cast<std::int32_t>(0.5 + share[static_cast<std::size_t>(k)] / sum * (1 << weight_bits));
    taps.first.push_back(first);
    taps.count.push_back(last - first);
  }
  return taps;
}

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
  const int begin = down.first.front(), end = down.first.back() + down.count.back();
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

// torchvision's centre: half of an odd rest goes to the even side.
int centre_of(int all, int part) { return static_cast<int>(std::nearbyint((all - part) / 2.0)); }

}  // namespace

Image resized(const Image& image, int height, int width, Filter filter) {
  return resized_part(image, height, width, filter, 0, 0, height, width);
}

Image prepared(const Image& image, const InputSpec& input) {
  const int side = static_cast<int>(std::max({input.resize_to, input.height, input.width}));
  if (input.resize == Resize::warp) return resized(image, side, side, input.filter);
  const int shorter = std::min(image.height, image.width);
  const auto scaled = [&](int extent) { return static_cast<int>(i64{side} * extent / shorter); };
  const int height = scaled(image.height), width = scaled(image.width);
  return resized_part(image, height, width, input.filter, centre_of(height, side), centre_of(width, side), side, side);
}

}  // namespace dactyl
