// Implicit products on Hopper's matrix units, without one: a tile's steps are gathered as the copy engine does, read as
// the matrix unit does, and followed to the packs of y, in plain C++.
#include <map>

#include "kernels/hopper/quad.h"
#include "tests/kernels/implicit_cases.h"

namespace dactyl::hopper {
namespace {

using Image = std::vector<float>;  // shared memory as numbers; offsets into it are in bytes, as in the kernels

// With a swizzle of 128 bytes, what is 16 bytes at column c of row r lies at column c xor r mod 8.
std::size_t swizzled(int address) { return static_cast<std::size_t>(address ^ (address >> 7 & 7) << 4) / 2; }

float number(const bf16* at, bool inside) { return inside ? float(*at) : 0; }

// The copy engine: a run of pixels, 64 channels of each, as a tap sees them.
void copy_pixels(Image& to, const ImplicitShape& s, const bf16* x, int first, int count, const StepWalk& step) {
  const Pixel begin = s.pixel(first);
  int at[4] = {begin.w, begin.h, begin.d, begin.n}, end[3] = {s.extent[2], s.extent[1], s.extent[0]};
  for (int i = 0; i < count; ++i) {
    const int w = at[0] - s.window[2] / 2 + step.w, h = at[1] - s.window[1] / 2 + step.h,
              d = at[2] - s.window[0] / 2 + step.d;
    const bool inside =
        w >= 0 && w < s.extent[2] && h >= 0 && h < s.extent[1] && d >= 0 && d < s.extent[0] && at[3] < s.batch;
    const i64 pixel = ((i64{at[3]} * s.extent[0] + d) * s.extent[1] + h) * s.extent[2] + w;
    for (int c = 0; c < step_channels; ++c)
      to[swizzled(i * 128 + 2 * c)] =
          number(x + pixel * s.from_pitch + step.channel() + c, inside && step.channel() + c < s.ins);
    for (int e = 0; e < 3 && ++at[e] == end[e]; ++e) {
      at[e] = 0;
      if (e == 2) ++at[3];
    }
  }
}

void copy_filters(Image& to, int at, const ImplicitShape& s, const bf16* w, int out, int count, const StepWalk& step) {
  for (int i = 0; i < count; ++i)
    for (int c = 0; c < step_channels; ++c)
      to[swizzled(at + i * 128 + 2 * c)] =
          number(w + (i64{out + i} * s.taps() + step.tap()) * s.ins + step.channel() + c,
                 out + i < s.outs && step.channel() + c < s.ins);
}

// Number (row i, place k of the sum) of an operand, as the unit finds it.
float operand_number(const Image& m, int at, int i, int k) {
  return m[swizzled(at + i / 8 * 1024 + i % 8 * 128 + 2 * k)];
}

// What lanes 4r to 4r + 3 store of row r of a block, from the sums as the unit leaves them with lanes.
void store_row(const ImplicitShape& s, const bf16* bias, bool relu, int pixel, int out, const float* sums, int columns,
               std::vector<float>& y) {
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
        if (i + lane >= columns / 8 || pixel >= s.pixels || channel >= s.outs) continue;
        const float v = sums[column] + (bias ? float(bias[channel]) : 0);
        float& to = y[static_cast<std::size_t>(i64{pixel} * s.outs + channel)];
        EXPECT_TRUE(std::isnan(to)) << "stored twice";
        to = relu && v < 0 ? 0 : v;
      }
  }
}

template <int blocks, int columns>
std::vector<float> by_hand(const ImplicitShape& s, const bf16* x, const bf16* w, const bf16* bias, bool relu) {
  using S = Stage<blocks, columns>;
  std::vector<float> y(static_cast<std::size_t>(i64{s.pixels} * s.outs), std::nanf(""));
  const TileGrid grid(s, {blocks, columns});
  for (int tile = 0; tile < grid.count; ++tile) {
    const int first = grid.first_pixel(tile, S::pixels), out = grid.first_out(tile, columns);
    std::vector<float> d(static_cast<std::size_t>(S::pixels) * columns, 0);
    int steps = 0;
    for (StepWalk step(s, s.depth_taps(first, S::pixels)); step.more(); step.next(), ++steps) {
      Image stage(S::bytes / 2, std::nanf(""));
      copy_pixels(stage, s, x, first, S::pixels, step);
      copy_filters(stage, S::pixel_bytes, s, w, out, columns, step);
      for (int unit = 0; unit < s.units(step.step); ++unit)
        for (int row = 0; row < S::pixels; ++row)
          for (int column = 0; column < columns; ++column)
            for (int k = 0; k < unit_channels; ++k)
              d[row * columns + column] +=
                  operand_number(stage, S::pixels_at(row / (64 * blocks), row / 64 % blocks, unit), row % 64, k) *
                  operand_number(stage, S::filters_at(unit), column, k);
    }
    EXPECT_EQ(steps, s.taps_of(first, S::pixels) * s.steps) << "those who bring and those who multiply";
    for (int row = 0; row < S::pixels; ++row)
      store_row(s, bias, relu, first + row, out, d.data() + row * columns, columns, y);
  }
  return y;
}

std::vector<double> doubles(const std::vector<float>& v) { return {v.begin(), v.end()}; }

TEST(Implicit, steps_and_operands_make_the_convolution) {
  const Use use(Device::cpu());
  for (const ImplicitCase& c : implicit_cases) {
    const WantedImplicit want(c, c.x.rank() == 5 && c.x[0] == 2);
    SCOPED_TRACE(to_text(want.forward));
    ASSERT_TRUE(is_implicit(want.forward) && is_implicit(want.data));
    const bf16 *x = want.x.data<bf16>(), *w = want.w.data<bf16>();
    const bf16* bias = want.forward.bias ? want.bias.data<bf16>() : nullptr;
    expect_close("y", doubles(by_hand<1, 112>(ImplicitShape(want.forward), x, w, bias, want.forward.relu)),
                 numbers(want.y), 1e-5);
    std::vector<bf16> turned;
    for (i64 i = 0; i < want.w.count(); ++i)
      turned.push_back(w[exchanged(i, want.forward.outs, want.forward.taps(), want.forward.ins)]);
    expect_close("dx",
                 doubles(by_hand<2, 32>(ImplicitShape(want.data), want.dy.data<bf16>(), turned.data(), nullptr, false)),
                 numbers(want.dx), 1e-5);
  }
}

ConvProblem i3d() {
  ConvProblem p;
  p.dtype = DType::bf16;
  p.batch = 32, p.ins = 64, p.outs = 192;
  p.in = p.out = {10, 56, 56}, p.kernel = {3, 3, 3}, p.low = p.high = {1, 1, 1};
  return p;
}

TEST(Implicit, frames_that_are_padding_are_left_out) {
  const ImplicitShape s(i3d());
  const int frame = 56 * 56;
  EXPECT_EQ(s.taps_of(0, 256), 18);                 // the first frame of a clip
  EXPECT_EQ(s.taps_of(frame, 256), 27);             // one within
  EXPECT_EQ(s.taps_of(9 * frame, 256), 18);         // the last one
  EXPECT_EQ(s.taps_of(10 * frame - 128, 256), 27);  // the last one and the next clip's first
  EXPECT_EQ(s.taps_of(s.pixels - 1, 256), 18);      // what is behind the last clip does not count
}

TEST(Implicit, tiles_are_chosen_by_shape) {
  const auto best = [](i64 ins, i64 outs, std::array<i64, 3> extents) {
    ConvProblem p = i3d();
    p.ins = ins, p.outs = outs, p.in = p.out = extents;
    return implicit_tiles(ImplicitShape(p), 132).front();
  };
  EXPECT_EQ(to_text(best(64, 192, {10, 56, 56})), "256x192");
  EXPECT_EQ(best(192, 64, {10, 56, 56}).columns, 64);
  EXPECT_LE(best(16, 32, {10, 28, 28}).columns, 32);
  EXPECT_EQ(best(112, 224, {5, 14, 14}).columns, 112);
  EXPECT_LT(best(192, 384, {3, 7, 7}).columns, 192) << "too few tiles for all processors";
  const ImplicitShape s(i3d());
  for (const ImplicitTile& t : implicit_tiles(s, 132))
    EXPECT_GE(i64{TileGrid(s, t).count} * t.pixels() * t.columns, i64{s.pixels} * s.outs);
}

TEST(Implicit, stages_fit_into_shared_memory) {
  EXPECT_EQ((Stage<2, 192>::count), 4);
  EXPECT_LE((Stage<2, 192>::count * Stage<2, 192>::bytes), 227 * 1024 - 2048);
  EXPECT_EQ((Stage<1, 192>::count), 5);
  EXPECT_EQ((Stage<1, 112>::bytes % 1024), 0) << "operands begin at multiples of eight rows";
}

TEST(Implicit, is_asked_for_by_shape) {
  const ConvProblem same = i3d();
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
  EXPECT_FALSE(without([](ConvProblem& p) { p.groups = 2; }));
  EXPECT_FALSE(without([](ConvProblem& p) { p.ins = 60; }));
  EXPECT_FALSE(without([](ConvProblem& p) { p.outs = 100; }));
  EXPECT_FALSE(without([](ConvProblem& p) { p.into = 197; }));
  EXPECT_FALSE(without([](ConvProblem& p) { p.stride[2] = 2; }));
  EXPECT_FALSE(without([](ConvProblem& p) { p.low[0] = 0; }));
  EXPECT_FALSE(without([](ConvProblem& p) { p.kernel = {1, 1, 1}, p.low = p.high = {0, 0, 0}; }));
  EXPECT_FALSE(without([](ConvProblem& p) { p.alignment[1] = 8; }));
  EXPECT_FALSE(without([](ConvProblem& p) { p.batch = i64{1} << 31; }));
}

}  // namespace
}  // namespace dactyl::hopper
