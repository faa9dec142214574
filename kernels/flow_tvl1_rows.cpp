// TV-L1 on the CPU, row by row: every inner loop runs over neighbouring pixels without a condition. The compiler makes
// one version per instruction set and picks when loading.
#include "kernels/flow_tvl1_rows.h"

#include <algorithm>
#include <vector>

#include "kernels/median.h"
#include "kernels/versions.h"

namespace dactyl::tvl1 {
namespace {

constexpr int lanes = 8;
using Lanes [[gnu::vector_size(lanes * sizeof(float)), gnu::aligned(sizeof(float)), gnu::may_alias]] = float;

// One row of each plane. `up` is the row above of the vertical dual variables (zeros above the first row), `down` how
// far the next row of u and v is (0 from the last row).
struct Row {
  const float *ix, *iy, *rho, *square;
  float *u, *v, *p11, *p12, *p21, *p22;
  const float *up12, *up22;
  i64 down, width;

  Row(const Pair& t, int y, const float* zeros) : width(t.width) {
    const i64 at = i64{y} * width;
    ix = t.plane(Plane::ix) + at, iy = t.plane(Plane::iy) + at;
    rho = t.plane(Plane::rho) + at, square = t.plane(Plane::square) + at;
    u = t.plane(Plane::u) + at, v = t.plane(Plane::v) + at;
    p11 = t.plane(Plane::p11) + at, p12 = t.plane(Plane::p12) + at;
    p21 = t.plane(Plane::p21) + at, p22 = t.plane(Plane::p22) + at;
    up12 = y > 0 ? p12 - width : zeros, up22 = y > 0 ? p22 - width : zeros;
    down = y + 1 < t.height ? width : 0;
  }

  [[gnu::always_inline]] float move(const Weights& w, i64 x, float across1, float across2) const {
    const float a = u[x], b = v[x];
    const float along = pull(rho[x] + (ix[x] * a + iy[x] * b), square[x], w.limit);
    const float a_new = (a + along * ix[x]) + w.theta * across1;
    const float b_new = (b + along * iy[x]) + w.theta * across2;
    u[x] = a_new;
    v[x] = b_new;
    return (a_new - a) * (a_new - a) + (b_new - b) * (b_new - b);
  }
};

[[gnu::always_inline]] inline float update_flow(const Row& r, const Weights& w) {
  float change = r.move(w, 0, (r.p11[0] + r.p12[0]) - r.up12[0], (r.p21[0] + r.p22[0]) - r.up22[0]);
#pragma omp simd reduction(+ : change)
  for (i64 x = 1; x < r.width; ++x)
    change += r.move(w, x, (r.p11[x] - r.p11[x - 1]) + (r.p12[x] - r.up12[x]),
                     (r.p21[x] - r.p21[x - 1]) + (r.p22[x] - r.up22[x]));
  return change;
}

template <bool wide>
[[gnu::always_inline]] inline void update_duals(const Row& r, const Weights& w) {
  const i64 last = r.width - 1;
#pragma omp simd
  for (i64 x = 0; x < last; ++x) {
    ascend<wide>(r.p11[x], r.p12[x], r.u[x + 1] - r.u[x], r.u[x + r.down] - r.u[x], w.step);
    ascend<wide>(r.p21[x], r.p22[x], r.v[x + 1] - r.v[x], r.v[x + r.down] - r.v[x], w.step);
  }
  ascend<wide>(r.p11[last], r.p12[last], 0, r.u[last + r.down] - r.u[last], w.step);
  ascend<wide>(r.p21[last], r.p22[last], 0, r.v[last + r.down] - r.v[last], w.step);
}

// Lanes neighbouring medians, of which the first is at column x; all columns looked at must exist.
template <int Size>
[[gnu::always_inline]] inline void medians(const float* const* rows, float* to, i64 x) {
  Lanes window[Size * Size];
  for (int j = 0; j < Size; ++j)
    for (int i = 0; i < Size; ++i) window[j * Size + i] = *reinterpret_cast<const Lanes*>(rows[j] + x + i - Size / 2);
  *reinterpret_cast<Lanes*>(to + x) = median<Size * Size>(window);
}

template <int Size>
[[gnu::always_inline]] inline void filter_plane(float* plane, float* spare, int height, i64 width) {
  constexpr int r = Size / 2;
  const i64 pitch = width + 2 * r + lanes;
  std::vector<float> lines(static_cast<std::size_t>(Size * pitch) + static_cast<std::size_t>(width + lanes));
  float* result = lines.data() + Size * pitch;
  for (int y = 0; y < height; ++y) {
    const float* rows[Size];
    for (int j = 0; j < Size; ++j) {  // rows with their ends continued
      float* line = lines.data() + j * pitch + r;
      const float* from = plane + std::clamp(y + j - r, 0, height - 1) * width;
      std::copy_n(from, width, line);
      std::fill_n(line - r, r, from[0]);
      std::fill_n(line + width, r + lanes, from[width - 1]);
      rows[j] = line;
    }
    for (i64 x = 0; x < width; x += lanes) medians<Size>(rows, result, x);
    std::copy_n(result, width, spare + y * width);
  }
  std::copy_n(spare, height * width, plane);
}

// Iteration j is two rows behind iteration j − 1: what it reads is complete, what it overwrites nobody needs any more.
template <bool wide>
[[gnu::always_inline]] inline double sweep_rows(const Pair& t, const Weights& w, int count) {
  const std::vector<float> zeros(static_cast<std::size_t>(t.width));
  double change = 0;
  for (int line = 0; line <= t.height + 2 * (count - 1); ++line)
    for (int j = 0; j < count; ++j) {
      const int y = line - 2 * j;
      if (y >= 0 && y < t.height) {
        const float row = update_flow(Row(t, y, zeros.data()), w);
        if (j == count - 1) change += row;
      }
      if (y >= 1 && y <= t.height) update_duals<wide>(Row(t, y - 1, zeros.data()), w);
    }
  return change;
}

}  // namespace

VERSIONS double sweep(const Pair& t, const Weights& w, int count) {
  return w.wide_norm ? sweep_rows<true>(t, w, count) : sweep_rows<false>(t, w, count);
}

VERSIONS void filter(const Pair& t, int size) {
  for (const Plane k : {u, v}) {
    if (size == 3)
      filter_plane<3>(t.plane(k), t.plane(spare_u), t.height, t.width);
    else
      filter_plane<5>(t.plane(k), t.plane(spare_u), t.height, t.width);
  }
}

}  // namespace dactyl::tvl1
