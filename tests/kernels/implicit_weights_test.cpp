// Weights' gradients as implicit products on Hopper's matrix units, without one: stages are gathered as the copy engine
// does, read as warps and the matrix unit do, and summed up, in plain C++.
#include "kernels/hopper/implicit_weights.h"

#include "kernels/hopper/stem_lines.h"
#include "tests/kernels/implicit_cases.h"

namespace dactyl::hopper {
namespace {

using Image = std::vector<float>;  // shared memory as numbers; offsets into it are in bytes, as in the kernels

// With a swizzle of 128 bytes, what is 16 bytes at column c of row r lies at column c xor r mod 8.
std::size_t swizzled(int address) { return static_cast<std::size_t>(address ^ (address >> 7 & 7) << 4) / 2; }

// Pixels of a tensor of `channels` whose rows are so many numbers apart.
struct Pixels {
  const bf16* numbers;
  i64 channels, pitch;
};

// The copy engine: a run of places from `first` on, 64 channels of each, as a tap sees them whose distance from the
// place is given; zeros beyond the borders and the channels. It comes to lie at byte `at`.
void copy_run(const ImplicitShape& s, const Pixels& x, int first, int count, int channel, std::array<int, 3> tap,
              Image& to, int at) {
  const Pixel p = s.pixel(first);
  int w = p.w, h = p.h, d = p.d, n = p.n;
  for (int i = 0; i < count; ++i) {
    const int from[] = {d + tap[0], h + tap[1], w + tap[2]};
    bool inside = n < s.batch;
    for (int e = 0; e < 3; ++e) inside = inside && from[e] >= 0 && from[e] < s.extent[e];
    const i64 pixel = ((i64{n} * s.extent[0] + from[0]) * s.extent[1] + from[1]) * s.extent[2] + from[2];
    for (int c = 0; c < step_channels; ++c)
      to[swizzled(at + i * 128 + 2 * c)] =
          inside && channel + c < x.channels ? float(x.numbers[pixel * x.pitch + channel + c]) : 0;
    if (++w < s.row) continue;
    w = 0;
    if (++h < s.extent[1]) continue;
    h = 0;
    if (++d < s.extent[0]) continue;
    d = 0, ++n;
  }
}

// What is beyond the group is not brought.
template <class M>
Image copied_stage(const ImplicitShape& s, const WeightsWork& work, int first, const bf16* x, const bf16* dy) {
  Image to(M::bytes / 2, std::nanf(""));
  for (int i = 0; i < std::min(M::inputs, boxes(s.ins - work.in)); ++i)
    copy_run(s, {x, i64{s.groups} * s.ins, s.from_pitch}, first, M::brought(s),
             work.group * s.ins + work.in + i * step_channels,
             {work.d - s.window[0] / 2, work.h - s.window[1] / 2, -(s.window[2] / 2)}, to,
             M::input_begin + i * M::input_bytes);
  for (int i = 0; i < std::min(M::blocks, boxes(s.outs - work.out)); ++i)
    copy_run(s, {dy, i64{s.groups} * s.outs, s.to_pitch}, first, M::places, work.group * s.outs + work.out + i * 64, {},
             to, i * M::gradient_bytes);
  return to;
}

// dyᵀ of output `row` at place k of a unit: which lane's row of which matrix has it, and where.
float gradient_number(const Image& m, int unit, int row, int k) {
  const int matrix = row / 8 % 2 + k / 8 * 2, lane = 8 * matrix + k % 8;
  return m[static_cast<std::size_t>(unit + turned_pack_at(0, row / 16, lane)) / 2 + row % 8];
}

// x of a column at place k of a unit, as the unit finds it by turned_operand(): `next` bytes from 64 columns to the
// next, 1024 from 8 places to the next.
float input_number(const Image& m, int unit, int column, int k, int next) {
  return m[swizzled(unit + column / 64 * next + k / 8 * 1024 + k % 8 * 128 + column % 64 * 2)];
}

// A block: its sums where they belong, added to those that other parts left there.
template <class M, int taps>
void add_block(const ImplicitShape& s, const WeightsGrid& g, int block, const bf16* x, const bf16* dy,
               std::vector<float>& dw, std::vector<int>& parts) {
  const WeightsWork work = g.work(block);
  const int outs = std::min(64 * M::blocks, s.outs - work.out), ins = std::min(M::columns, s.ins - work.in);
  const auto at = [&](int out, int tap, int in) {
    const i64 row = work.group * s.outs + work.out + out, all = (work.d * s.window[1] + work.h) * s.window[2] + tap;
    return static_cast<std::size_t>((row * s.taps() + all) * s.ins + work.in + in);
  };
  for (WeightsWalk walk(s, work, M::places); walk.more(); walk.next()) {
    const Image stage = copied_stage<M>(s, work, walk.first_place(), x, dy);
    for (int out = 0; out < outs; ++out)
      for (int half = 0; half < M::halves; ++half)
        for (int k = 0; k < 16 * M::units; ++k) {
          const int group = M::halves == 2 ? half : out / 64;
          const float of_y = gradient_number(stage, M::gradient_at(group, k / 16), out % 64, k % 16);
          for (int tap = 0; tap < taps && of_y != 0; ++tap)
            for (int in = 0; in < ins; ++in)
              dw[at(out, tap, in)] +=
                  of_y * input_number(stage, M::input_at(group, k / 16, tap), in, k % 16, M::input_bytes);
        }
  }
  for (int out = 0; out < outs; ++out)
    for (int tap = 0; tap < taps; ++tap)
      for (int in = 0; in < ins; ++in) ++parts[at(out, tap, in)];
}

template <int blocks, int columns, int taps>
void check_by_hand(const WantedImplicit& want, int parts) {
  const ImplicitShape s = weights_shape(want.weights);
  const WeightsTile tile{blocks, columns, parts};
  SCOPED_TRACE(to_text(want.weights) + " by " + to_text(tile));
  const WeightsGrid grid(s, tile);
  if (parts > grid.runs) return;
  std::vector<float> dw(static_cast<std::size_t>(want.w.count()));
  std::vector<int> written(dw.size());
  for (int block = 0; block < grid.tiles * parts; ++block)
    add_block<WeightsMemory<blocks, columns>, taps>(s, grid, block, want.x.data<bf16>(), want.dy.data<bf16>(), dw,
                                                    written);
  EXPECT_EQ(std::count(written.begin(), written.end(), parts), static_cast<i64>(written.size()))
      << "each part has each number once";
  expect_close("dw", std::vector<double>(dw.begin(), dw.end()), numbers(want.dw), 1e-5);
}

TEST(ImplicitWeights, runs_and_operands_make_the_gradient) {
  const Use use(Device::cpu());
  for (const ImplicitCase& c : implicit_cases) {
    const WantedImplicit want(c, false);
    ASSERT_TRUE(is_implicit_weights(want.weights)) << to_text(want.weights);
    if (want.weights.kernel[2] == 5) {
      check_by_hand<1, 32, 5>(want, 2);
      check_by_hand<2, 48, 5>(want, 1);
      check_by_hand<3, 48, 5>(want, 1);
    } else if (want.weights.kernel[2] == 3) {
      check_by_hand<1, 112, 3>(want, 2);
      check_by_hand<2, 96, 3>(want, 1);
      check_by_hand<2, 128, 3>(want, 2);
      check_by_hand<3, 64, 3>(want, 3);
    } else {
      check_by_hand<2, 64, 1>(want, 1);
      check_by_hand<1, 128, 1>(want, 1);
      check_by_hand<3, 64, 1>(want, 1);
    }
  }
}

ConvProblem problem(i64 batch, i64 groups, i64 ins, i64 outs, i64 extent, i64 window) {
  ConvProblem p;
  p.pass = Pass::weights, p.dtype = DType::bf16;
  p.batch = batch, p.groups = groups, p.ins = ins, p.outs = outs;
  p.in = p.out = {1, extent, extent}, p.kernel = {1, window, window};
  p.low = p.high = {0, window / 2, window / 2};
  return p;
}

TEST(ImplicitWeights, tiles_fill_the_processors) {
  for (const ConvProblem& p :
       {problem(128, 2, 48, 256, 27, 5), problem(128, 2, 192, 384, 13, 3), problem(128, 2, 192, 256, 13, 3),
        problem(128, 1, 64, 192, 56, 3), problem(128, 1, 128, 192, 28, 3), problem(128, 1, 160, 320, 7, 3)}) {
    const ImplicitShape s = weights_shape(p);
    const std::vector<WeightsTile> tiles = weights_tiles(s, 132);
    ASSERT_GE(tiles.size(), 7u);
    const int blocks = WeightsGrid(s, tiles[0]).tiles * tiles[0].parts, rounds = (blocks + 131) / 132;
    EXPECT_GE(blocks, rounds * 132 * 8 / 10) << to_text(p) << " by " << to_text(tiles[0]);
    const double ideal = double(s.places) * s.taps() * p.ins * double(p.outs) / 2048 / 132;
    EXPECT_LE(predicted_cycles(s, tiles[0], 132), 2.5 * ideal + 15000) << to_text(p) << " by " << to_text(tiles[0]);
  }
}

TEST(ImplicitWeights, frames_that_are_padding_are_left_out) {
  ConvProblem p = problem(2, 1, 16, 16, 32, 3);
  p.in[0] = p.out[0] = p.kernel[0] = 3, p.low[0] = p.high[0] = 1;
  const ImplicitShape s = weights_shape(p);
  const WeightsGrid grid(s, {2, 32});
  for (int d = 0; d < 3; ++d) {
    int runs = 0;
    for (WeightsWalk walk(s, {0, 0, 0, d, 0, 0, 0, grid.runs}, 64); walk.more(); walk.next()) ++runs;
    EXPECT_EQ(grid.runs, 99) << "frames of 32 rows of 33 places, 16.5 runs each";
    EXPECT_EQ(runs, d == 1 ? 99 : 99 - 2 * 16) << d;
  }
}

TEST(ImplicitWeights, the_last_of_a_billion_places_are_counted_in_ints) {
  ConvProblem p = problem(4111, 1, 8, 8, 254, 3);
  p.in[0] = p.out[0] = 4, p.kernel[0] = 3, p.low[0] = p.high[0] = 1;
  ASSERT_TRUE(is_implicit_weights(p));
  const ImplicitShape s = weights_shape(p);
  const WeightsTile tile{1, 32, 7};
  const WeightsGrid grid(s, tile);
  WeightsWork work = grid.work(grid.tiles * grid.parts - 1);
  EXPECT_EQ(work.end, grid.runs);
  work.d = 1, work.first = work.end - 2;
  WeightsWalk walk(s, work, weights_places(1));
  EXPECT_EQ(walk.first_place(), s.places - 1 - (s.places - 1) % 128 - 128);
  EXPECT_EQ(s.pixel(walk.first_place()).n, 4110);
  walk.next();
  EXPECT_EQ(walk.first_place(), s.places - 1 - (s.places - 1) % 128);
  walk.next();
  EXPECT_FALSE(walk.more());
}

template <int... blocks>
void check_memory(std::integer_sequence<int, blocks...>) {
  const auto check = [](auto m) {
    using M = decltype(m);
    EXPECT_LE(M::stages * M::bytes, (227 << 10) - 2048);
    EXPECT_GE(M::stages, 4);
    EXPECT_EQ(M::gradient_bytes % 1024, 0) << "the swizzle counts rows from multiples of eight";
    EXPECT_EQ(M::input_begin % 1024, 0);
    EXPECT_EQ(M::input_bytes % 1024, 0);
    EXPECT_EQ(M::bytes % 1024, 0);
  };
  (check(WeightsMemory<blocks + 1, 64>()), ...);
  (check(WeightsMemory<blocks + 1, 128>()), ...);
}

TEST(ImplicitWeights, stages_fit_into_shared_memory) { check_memory(std::make_integer_sequence<int, 3>()); }

TEST(ImplicitWeights, is_asked_for_by_shape) {
  const auto with = [](auto change) {
    ConvProblem p = problem(8, 2, 48, 256, 27, 5);
    change(p);
    return is_implicit_weights(p);
  };
  EXPECT_TRUE(with([](ConvProblem&) {}));
  EXPECT_TRUE(with([](ConvProblem& p) { p.into = 480; }));
  EXPECT_TRUE(with([](ConvProblem& p) { p.ins = 40; })) << "sums run over places";
  EXPECT_FALSE(with([](ConvProblem& p) { p.pass = Pass::forward; }));
  EXPECT_FALSE(with([](ConvProblem& p) { p.dtype = DType::f16; }));
  EXPECT_FALSE(with([](ConvProblem& p) { p.into = 300; }));
  EXPECT_FALSE(with([](ConvProblem& p) { p.stride[1] = 2; }));
}

}  // namespace
}  // namespace dactyl::hopper
