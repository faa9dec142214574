// TV-L1: the pyramid's levels: frames made smaller, flows made larger, derivatives.
#include "kernels/flow_tvl1_pyramid.h"

#include "engine/each.h"

namespace dactyl::tvl1 {
namespace {

// Where the i-th of the result's numbers lies among the source's n along one axis, for linear interpolation.
struct Between {
  int low, high;
  float part;  // of the way from low to high

  HD Between(int i, const Axis& a) {
    const float position = static_cast<float>((i + a.shift) * a.scale - a.shift);
    low = static_cast<int>(std::floor(position));
    part = position - static_cast<float>(low);
    high = low + 1 < a.size ? low + 1 : a.size - 1;
    if (low < 0) low = 0, high = 0;
    if (low > a.size - 1) low = a.size - 1;
  }
};

HD inline float between(const float* plane, int width, const Between& y, const Between& x) {
  const float *a = plane + i64{y.low} * width, *b = plane + i64{y.high} * width;
  // Beyond the border OpenCV takes the pixel itself across and a mean of two equal rows down: other last bits.
  const float part = x.low == x.high ? 0.0f : x.part;
  const float top = a[x.low] * (1 - part) + a[x.high] * part;
  const float bottom = b[x.low] * (1 - part) + b[x.high] * part;
  return top * (1 - y.part) + bottom * y.part;
}

}  // namespace

void shrink(Device device, i64 pairs, const float* from, int height, int width, const Axis& along_y,
            const Axis& along_x, float* to) {
  const i64 source = i64{along_y.size} * along_x.size;
  each_row(device, pairs * height, width, [=] HD(i64 row, i64 x) {
    const Between at_y(static_cast<int>(row % height), along_y), at_x(static_cast<int>(x), along_x);
    to[row * width + x] = between(from + row / height * source, along_x.size, at_y, at_x);
  });
}

void derive(Device device, i64 pairs, const float* frames, const Level& level) {
  const int height = level.height, width = level.width;
  float* to = level.second;
  each_row(device, pairs * height, width, [=] HD(i64 row, i64 x) {
    const i64 y = row % height, i = row * width + x;
    const i64 left = x > 0 ? 1 : 0, right = x + 1 < width ? 1 : 0;
    const i64 up = y > 0 ? width : 0, down = y + 1 < height ? width : 0;
    to[4 * i] = frames[i];
    to[4 * i + 1] = 0.5f * (frames[i + right] - frames[i - left]);
    to[4 * i + 2] = 0.5f * (frames[i + down] - frames[i - up]);
    to[4 * i + 3] = 0;
  });
}

void start(Device device, i64 pairs, const Level& level) {
  const i64 plane = i64{level.height} * level.width;
  float* state = level.state;
  each_row(device, pairs, 6 * plane,
           [=] HD(i64 n, i64 i) { state[(n * planes + static_cast<i64>(u)) * plane + i] = 0; });
}

void enlarge(Device device, i64 pairs, const Level& coarse, const Level& fine, const Axis& along_y, const Axis& along_x,
             float factor) {
  const i64 pixels = i64{fine.height} * fine.width;
  each_row(device, pairs * fine.height, fine.width, [=] HD(i64 row, i64 x) {
    const Pair from = coarse.pair(row / fine.height), to = fine.pair(row / fine.height);
    const i64 y = row % fine.height;
    const Between at_y(static_cast<int>(y), along_y), at_x(static_cast<int>(x), along_x);
    float* state = to.state + y * fine.width + x;
    state[u * pixels] = between(from.plane(u), from.width, at_y, at_x) * factor;
    state[v * pixels] = between(from.plane(v), from.width, at_y, at_x) * factor;
    for (int k = p11; k <= p22; ++k) state[k * pixels] = 0;
  });
}

}  // namespace dactyl::tvl1
