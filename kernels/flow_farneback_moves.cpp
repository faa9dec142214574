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
// and the polynomials found there.
struct Moves {
  std::vector<std::int32_t> at, inside;
  Rows<float> shares, found;
  explicit Moves(i64 width)
      : at(room(width)), inside(room(width)), shares(4, width, 0), found(coefficients, width, 0) {}
  static std::size_t room(i64 width) { return static_cast<std::size_t>(width + lanes); }
};

[[gnu::always_inline]] inline void follow(const float* flow, i64 height, i64 width, i64 y, Moves& moves) {
  const auto right = static_cast<float>(width - 1), bottom = static_cast<float>(height - 1);
  const auto step = static_cast<std::int32_t>(width);
  std::int32_t *at = moves.at.data(), *inside = moves.inside.data();
  float *w00 = moves.shares[0], *w01 = moves.shares[1], *w10 = moves.shares[2], *w11 = moves.shares[3];
#pragma omp simd
  for (std::int32_t x = 0; x < step; ++x) {
    float at_x = static_cast<float>(x) + flow[2 * x], at_y = static_cast<float>(y) + flow[2 * x + 1];
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
  using Order [[gnu::vector_size(lanes * sizeof(int))]] = int;
  const Order low{0, 8, 1, 9, 4, 12, 5, 13}, high{2, 10, 3, 11, 6, 14, 7, 15};
  const Order even{0, 1, 8, 9, 4, 5, 12, 13}, odd{2, 3, 10, 11, 6, 7, 14, 15};
  const Order left{0, 1, 2, 3, 8, 9, 10, 11}, right{4, 5, 6, 7, 12, 13, 14, 15};
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
    for (int k = 0; k < coefficients; ++k) *reinterpret_cast<Floats*>(moves.found[k] + x) = c[k];
  }
}

// `first`, `flow` and `m` are at the row.
[[gnu::always_inline]] inline void write_equations(const float* first, i64 plane, i64 width, float trust_y,
                                                   const float* flow, Moves& moves, float* m) {
  const float *b0 = moves.found[0], *b1 = moves.found[1], *b2 = moves.found[2], *b3 = moves.found[3];
  const float* b4 = moves.found[4];
  const std::int32_t* inside = moves.inside.data();
#pragma omp simd
  for (i64 x = 0; x < width; ++x) {
    const float a[] = {first[x], first[plane + x], first[2 * plane + x], first[3 * plane + x], first[4 * plane + x]};
    const bool in = inside[x];
    const float b[] = {in ? b0[x] : 0.0f, in ? b1[x] : 0.0f, in ? b2[x] : a[2], in ? b3[x] : a[3], in ? b4[x] : a[4]};
    float k[coefficients];
    normal_equations(a, b, flow[2 * x], flow[2 * x + 1], trust(x, width) * trust_y, k);
    m[x] = k[0], m[plane + x] = k[1], m[2 * plane + x] = k[2], m[3 * plane + x] = k[3], m[4 * plane + x] = k[4];
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
    write_equations(first + y * width, height * width, width, trust(y, height), row, moves, m + y * width);
  }
}

}  // namespace dactyl::farneback
