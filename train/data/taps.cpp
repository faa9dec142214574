// The triangle filter's weights, and where a prepared picture lies in the resized one.
#include "train/data/taps.h"

#include <algorithm>
#include <cmath>

#include "kernels/jpeg_planes.h"

namespace dactyl {
namespace {

double triangle(double x) { return std::max(0.0, 1 - std::abs(x)); }

// torchvision's centre: half of an odd rest goes to the even side.
int centre_of(int all, int part) { return static_cast<int>(std::nearbyint((all - part) / 2.0)); }

}  // namespace

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

Preparation preparation(int height, int width, const InputSpec& input) {
  const int side = static_cast<int>(std::max({input.resize_to, input.height, input.width}));
  if (input.resize == Resize::warp) return {side, side, 0, 0, side};
  const int shorter = std::min(height, width);
  const auto scaled = [&](int extent) { return static_cast<int>(i64{side} * extent / shorter); };
  const int tall = scaled(height), wide = scaled(width);
  return {tall, wide, centre_of(tall, side), centre_of(wide, side), side};
}

}  // namespace dactyl
