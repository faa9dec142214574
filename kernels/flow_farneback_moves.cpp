// Row loops of Farnebäck's flow: the normal equations, for which the second frame is read where the flow leads.
#include <cstdint>

#include "kernels/flow_farneback_lanes.h"
#include "kernels/flow_farneback_rows.h"

namespace dactyl::farneback {

VERSIONS void record_row(const float* planes, i64 plane, i64 width, float* records) {
#pragma omp simd
  for (i64 x = 0; x < width; ++x)
    for (int k = 0; k < record; ++k) records[x * record + k] = k < coefficients ? planes[k * plane + x] : 0.0f;
}

namespace {

// Where a row's pixels lead: the record above to the left, the shares of it and its neighbours, whether all are inside;
// the flow as two lines, the polynomials found, and the columns' trust.
struct Moves {
  std::vector<std::int32_t> at, inside;
  Rows<float> shares, flow, found, trusted;
  explicit Moves(i64 width)
      : at(room(width)),
        inside(room(width)),
        shares(4, width, 0),
        flow(2, width, 0),
        found(coefficients, width, 0),
        trusted(1, width, 0) {
    for (i64 x = 0; x < width; ++x) trusted[0][x] = trust(x, width);
  }
  static std::size_t room(i64 width) { return static_cast<std::size_t>(width + lanes); }
};

[[gnu::always_inline]] inline void follow(const float* flow, i64 height, i64 width, i64 y, Moves& moves) {
  const auto right = static_cast<float>(width - 1), bottom = static_cast<float>(height - 1);
  const auto step = static_cast<std::int32_t>(width);
  std::int32_t *at = moves.at.data(), *inside = moves.inside.data();
  float *w00 = moves.shares[0], *w01 = moves.shares[1], *w10 = moves.shares[2], *w11 = moves.shares[3];
  float *u = moves.flow[0], *v = moves.flow[1];
#pragma omp simd
  for (std::int32_t x = 0; x < step; ++x) {
    u[x] = flow[2 * x];
    v[x] = flow[2 * x + 1];
    float at_x = static_cast<float>(x) + u[x], at_y = static_cast<float>(y) + v[x];
    const bool in = (at_x >= 0) & (at_x < right) & (at_y >= 0) & (at_y < bottom);  // not for NaN
    at_x = in ? at_x : 0.0f;
    at_y = in ? at_y : 0.0f;
    const auto left = static_cast<std::int32_t>(at_x), top = static_cast<std::int32_t>(at_y);
    const float fx = at_x - static_cast<float>(left), fy = at_y - static_cast<float>(top);
    at[x] = top * step + left;
    inside[x] = in;
    w00[x] = (1 - fx) * (1 - fy), w01[x] = fx * (1 - fy), w10[x] = (1 - fx) * fy, w11[x] = fx * fy;
  }
}

// Eight records' first five numbers, each kind together.
[[gnu::always_inline]] inline void transpose(const Floats* r, Floats* c) {
  const Ints low{0, 8, 1, 9, 4, 12, 5, 13}, high{2, 10, 3, 11, 6, 14, 7, 15};
  const Ints even{0, 1, 8, 9, 4, 5, 12, 13}, odd{2, 3, 10, 11, 6, 7, 14, 15};
  const Ints left{0, 1, 2, 3, 8, 9, 10, 11}, right{4, 5, 6, 7, 12, 13, 14, 15};
  Floats half[2][4];
  for (int i = 0; i < 2; ++i, r += 4) {
    const Floats l0 = __builtin_shuffle(r[0], r[1], low), l1 = __builtin_shuffle(r[2], r[3], low);
    const Floats h0 = __builtin_shuffle(r[0], r[1], high), h1 = __builtin_shuffle(r[2], r[3], high);
    half[i][0] = __builtin_shuffle(l0, l1, even);
    half[i][1] = __builtin_shuffle(l0, l1, odd);
    half[i][2] = __builtin_shuffle(h0, h1, even);
    half[i][3] = __builtin_shuffle(h0, h1, odd);
  }
  for (int k = 0; k < 4; ++k) c[k] = __builtin_shuffle(half[0][k], half[1][k], left);
  c[4] = __builtin_shuffle(half[0][0], half[1][0], right);
}

// Reads the second frame's records, bilinear between four.
[[gnu::always_inline]] inline void read_records(const float* second, i64 width, Moves& moves) {
  const i64 down = record * width;
  const float *w00 = moves.shares[0], *w01 = moves.shares[1], *w10 = moves.shares[2], *w11 = moves.shares[3];
  for (i64 x = 0; x < width; x += lanes) {
    Floats sum[lanes], c[coefficients];
    for (i64 l = 0; l < lanes; ++l) {
      const float* p = second + record * moves.at.data()[x + l];
      sum[l] = w00[x + l] * at(p) + w01[x + l] * at(p + record) + w10[x + l] * at(p + down) +
               w11[x + l] * at(p + down + record);
    }
    transpose(sum, c);
    for (int k = 0; k < coefficients; ++k) put(moves.found[k] + x, c[k], lanes);
  }
}

// `first` and `m` are at the row.
[[gnu::always_inline]] inline void write_equations(const float* first, i64 plane, i64 width, float trust_y,
                                                   Moves& moves, float* m) {
  for (i64 x = 0; x < width; x += lanes) {
    const i64 count = width - x;
    Floats a[coefficients], b[coefficients], k[coefficients];
    for (int i = 0; i < coefficients; ++i) {
      get(first + i * plane + x, count, a[i]);
      b[i] = at(moves.found[i] + x);
    }
    const Ints inside = at(moves.inside.data() + x) != 0;
    const Floats none{};
    for (int i = 0; i < coefficients; ++i) b[i] = inside ? b[i] : i < 2 ? none : a[i];
    const Floats weight = at(moves.trusted[0] + x) * trust_y, u = at(moves.flow[0] + x), v = at(moves.flow[1] + x);
    normal_equations(a, b, u, v, weight, k);
    for (int i = 0; i < coefficients; ++i) put(m + i * plane + x, k[i], count);
  }
}

}  // namespace

VERSIONS void equations_rows(const float* first, const float* second, i64 height, i64 width, i64 begin, i64 end,
                             const float* flow, float* m) {
  Moves moves(width);
  for (i64 y = begin; y < end; ++y) {
    const float* row = flow + 2 * y * width;
    follow(row, height, width, y, moves);
    read_records(second, width, moves);
    write_equations(first + y * width, height * width, width, trust(y, height), moves, m + y * width);
  }
}

}  // namespace dactyl::farneback
