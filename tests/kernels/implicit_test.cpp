// Implicit products on Hopper's matrix units, without one: a tile's steps are gathered as the copy engine does, read as
// the matrix unit does, and followed to the packs of y, in plain C++.
#include <map>

#include "kernels/hopper/implicit_choice.h"
#include "kernels/hopper/implicit_walk.h"
#include "kernels/hopper/quad.h"
#include "tests/kernels/copied_pixels.h"
#include "tests/kernels/implicit_cases.h"
#include "tests/kernels/implicit_layer.h"

namespace dactyl::hopper {
namespace {

float number(const bf16* at, bool inside) { return inside ? float(*at) : 0; }

// A run of places, 64 channels of each, as the run's first tap sees them. What lies in another group must not be used:
// NaN.
Image copied_run(const ImplicitShape& s, const bf16* x, int first, int count, const RunWalk& run, int group) {
  Image to(static_cast<std::size_t>(count) * step_channels, std::nanf(""));
  const Pixel p = s.pixel(first);
  const i64 all = i64{s.groups} * s.ins, channel = group * s.ins + run.channel();
  copy_pixels(to, 0, pixels(x, s.batch, s.in, all, s.from_pitch), input_corners(s),
              {p.n, p.d - s.low[0], p.h - s.low[1], p.w - s.low[2]}, {run.d, run.h, run.w}, count, channel);
  for (int i = 0; i < count; ++i)
    for (int c = std::max(0, s.ins - run.channel()); c < step_channels && channel + c < all; ++c)
      to[swizzled(i * 128 + 2 * c)] = std::nanf("");
  return to;
}

Image copied_filters(const ImplicitShape& s, const bf16* w, int out, int count, int tap, int channel) {
  Image to(static_cast<std::size_t>(count) * step_channels, std::nanf(""));
  for (int i = 0; i < count; ++i)
    for (int c = channel; c < channel + step_channels; ++c)
      to[swizzled(i * 128 + 2 * (c - channel))] =
          number(w + (i64{out + i} * s.taps() + tap) * s.ins + c, out + i < s.groups * s.outs && c < s.ins);
  return to;
}

// Number (row i, place k of the sum) of an operand, as the unit finds it.
float operand_number(const Image& m, int at, int i, int k) {
  return m[swizzled(at + i / 8 * 1024 + i % 8 * 128 + 2 * k)];
}

// What lanes 4r to 4r + 3 store of row r of a block, from the sums as the unit leaves them with lanes.
void store_row(const ImplicitShape& s, const bf16* bias, bool relu, int place, int out, int end, const float* sums,
               int columns, std::vector<float>& y) {
  for (int i = 0; i < columns / 8; i += 4) {
    Words4 words[4] = {};  // of lanes; here a word says where its number comes from
    for (int lane = 0; lane < 4; ++lane)
      for (int pack = 0; pack < 4; ++pack) words[lane][pack] = static_cast<std::uint32_t>(8 * (i + pack) + 2 * lane);
    for (int by = 1; by <= 2; ++by)
      for (int j = 0; j < 4; ++j) {
        if (j & by) continue;
        std::uint32_t got[4];
        for (int lane = 0; lane < 4; ++lane) got[lane ^ by] = sent(words[lane], lane, by, j);
        for (int lane = 0; lane < 4; ++lane) take(words[lane], lane, by, j, got[lane]);
      }
    for (int lane = 0; lane < 4; ++lane)
      for (int n = 0; n < 8; ++n) {
        const int column = static_cast<int>(words[lane][n / 2]) + n % 2, channel = out + 8 * (i + lane) + n;
        if (i + lane >= columns / 8 || s.output(place) < 0 || channel >= end) continue;
        const float v = sums[column] + (bias ? float(bias[channel]) : 0);
        float& to = y[static_cast<std::size_t>(s.output(place) * s.groups * s.outs + channel)];
        EXPECT_TRUE(std::isnan(to)) << "stored twice";
        to = relu && v < 0 ? 0 : v;
      }
  }
}

template <int blocks, int columns>
void multiply_step(std::vector<float>& d, const Image& run, const Image& filters, int shared_tap, int units) {
  using M = TileMemory<blocks, columns>;
  for (int unit = 0; unit < units; ++unit)
    for (int row = 0; row < M::places; ++row)
      for (int column = 0; column < columns; ++column)
        for (int k = 0; k < unit_channels; ++k)
          d[row * columns + column] +=
              operand_number(run, M::run_at(row / (64 * blocks), row / 64 % blocks, shared_tap, unit), row % 64, k) *
              operand_number(filters, M::filter_at(unit), column, k);
}

// A part of a tile's sums, added to d.
template <int blocks, int columns>
void add_part(const ImplicitShape& s, const bf16* x, const bf16* w, const TileGrid& grid, int tile,
              std::vector<float>& d) {
  using M = TileMemory<blocks, columns>;
  const TileWork work = grid.work(tile);
  const int first = work.first, group = work.group, out = group * s.outs + work.out;
  const Steps part = grid.steps(s, work);
  EXPECT_GT(part.count, 0) << "a part without a sum";
  int runs = 0;
  for (RunWalk run(s, s.depth_taps(first, M::places), part); run.more(); run.next(), ++runs) {
    EXPECT_EQ(run.step, (part.first + runs) % s.steps) << "those who bring and those who multiply";
    const Image places = copied_run(s, x, first, M::brought(s), run, group);
    for (int tap = 0; tap < s.shared; ++tap)
      multiply_step<blocks, columns>(d, places, copied_filters(s, w, out, columns, run.tap() + tap, run.channel()), tap,
                                     s.units(run.step));
  }
  EXPECT_EQ(runs, part.count) << "those who bring and those who multiply";
}

template <int blocks, int columns>
std::vector<float> by_hand(const ImplicitShape& s, const bf16* x, const bf16* w, const bf16* bias, bool relu,
                           int parts = 1) {
  using M = TileMemory<blocks, columns>;
  std::vector<float> y(static_cast<std::size_t>(i64{s.batch} * s.out[0] * s.out[1] * s.out[2] * s.groups * s.outs),
                       std::nanf(""));
  const TileGrid grid(s, {blocks, columns, s.shared > 1, parts});
  std::vector<float> d;
  for (int tile = 0; tile < grid.count; ++tile) {
    const TileWork work = grid.work(tile);
    if (work.part == 0) d.assign(static_cast<std::size_t>(M::places) * columns, 0);
    add_part<blocks, columns>(s, x, w, grid, tile, d);
    if (work.part + 1 < parts) continue;
    for (int row = 0; row < M::places; ++row)
      store_row(s, bias, relu, work.first + row, work.group * s.outs + work.out, (work.group + 1) * s.outs,
                d.data() + row * columns, columns, y);
  }
  return y;
}

std::vector<double> doubles(const std::vector<float>& v) { return {v.begin(), v.end()}; }

void check_by_hand(const ImplicitCase& c, bool rows) {
  const WantedImplicit want(c, rows);
  SCOPED_TRACE(to_text(want.forward) + (rows ? " by rows" : ""));
  ASSERT_TRUE(is_implicit(want.forward));
  const bf16 *x = want.x.data<bf16>(), *w = want.w.data<bf16>(), *bias = rows ? want.bias.data<bf16>() : nullptr;
  const ImplicitShape s(want.forward, rows);
  const int parts = std::min(3, s.least_steps());
  expect_close("y", doubles(by_hand<1, 112>(s, x, w, bias, rows, parts)), numbers(want.y), 1e-5);
  ASSERT_EQ(is_implicit(want.data), c.low.rank() == 0) << "SAME alone";
  if (!is_implicit(want.data)) return;
  std::vector<bf16> turned;
  for (i64 i = 0; i < want.w.count(); ++i)
    turned.push_back(w[exchanged(i, want.forward.outs / c.groups, want.forward.taps(), want.forward.ins)]);
  const auto dx = by_hand<2, 32>(ImplicitShape(want.data, rows), want.dy.data<bf16>(), turned.data(), nullptr, false);
  expect_close("dx", doubles(dx), numbers(want.dx), 1e-5);
}

TEST(Implicit, runs_and_operands_make_the_convolution) {
  const Use use(Device::cpu());
  for (const std::vector<ImplicitCase>* cases : {&implicit_cases, &other_paddings})
    for (const ImplicitCase& c : *cases)
      for (const bool rows : {false, true}) check_by_hand(c, rows);
}

TEST(Implicit, frames_that_are_padding_are_left_out) {
  for (const bool rows : {false, true}) {
    const ImplicitShape s(i3d_layer(), rows);
    const int all = rows ? 9 : 27;
    EXPECT_EQ(s.runs(0, 256), all * 2 / 3);             // the first frame of a clip
    EXPECT_EQ(s.runs(s.frame, 256), all);               // one within
    EXPECT_EQ(s.runs(9 * s.frame, 256), all * 2 / 3);   // the last one
    EXPECT_EQ(s.runs(10 * s.frame - 128, 256), all);    // the last one and the next clip's first
    EXPECT_EQ(s.runs(s.places - 1, 256), all * 2 / 3);  // what is behind the last clip does not count
  }
}

TEST(Implicit, is_asked_for_by_shape) {
  const ConvProblem same = i3d_layer();
  const auto without = [&](auto change) {
    ConvProblem p = same;
    change(p);
    return is_implicit(p);
  };
  EXPECT_TRUE(is_implicit(same));
  EXPECT_TRUE(without([](ConvProblem& p) { p.pass = Pass::data; }));
  EXPECT_TRUE(without([](ConvProblem& p) { p.into = 480; }));
  EXPECT_FALSE(without([](ConvProblem& p) { p.pass = Pass::weights; }));
  EXPECT_FALSE(without([](ConvProblem& p) { p.dtype = DType::f16; }));
  EXPECT_TRUE(without([](ConvProblem& p) { p.groups = 2; }));
  EXPECT_FALSE(without([](ConvProblem& p) { p.groups = 5; }));
  EXPECT_FALSE(without([](ConvProblem& p) { p.groups = 2, p.ins = 40; })) << "a group ends within a product";
  EXPECT_TRUE(without([](ConvProblem& p) { p.groups = 2, p.ins = 40, p.pass = Pass::data; }));
  EXPECT_FALSE(without([](ConvProblem& p) { p.groups = 8, p.pass = Pass::data; }));
  EXPECT_FALSE(without([](ConvProblem& p) { p.ins = 60; }));
  EXPECT_FALSE(without([](ConvProblem& p) { p.outs = 100; }));
  EXPECT_FALSE(without([](ConvProblem& p) { p.into = 197; }));
  EXPECT_FALSE(without([](ConvProblem& p) { p.stride[2] = 2; }));
  EXPECT_FALSE(without([](ConvProblem& p) { p.low[0] = 0; })) << "two behind the last";
  EXPECT_FALSE(without([](ConvProblem& p) { p.low[1] = 2, p.out[1] = 11; }));
  const auto unpadded = [](ConvProblem& p) { p.low = p.high = {}, p.out = {8, 54, 54}; };
  EXPECT_TRUE(without(unpadded));
  EXPECT_TRUE(without([&](ConvProblem& p) { unpadded(p), p.kernel[2] = 4, p.out[2] = 53; }));
  EXPECT_FALSE(without([&](ConvProblem& p) { unpadded(p), p.out[2] = 53; })) << "less than no padding";
  EXPECT_FALSE(without([&](ConvProblem& p) { unpadded(p), p.pass = Pass::data; }));
  EXPECT_FALSE(without([](ConvProblem& p) { p.kernel = {1, 1, 1}, p.low = p.high = {0, 0, 0}; }));
  EXPECT_FALSE(without([](ConvProblem& p) { p.alignment[1] = 8; }));
  EXPECT_FALSE(without([](ConvProblem& p) { p.batch = i64{1} << 31; }));
}

}  // namespace
}  // namespace dactyl::hopper
