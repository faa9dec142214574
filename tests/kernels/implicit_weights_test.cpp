// Weights' gradients as implicit products on Hopper's matrix units, without one: stages are gathered as the copy engine
// does, read as warps and the matrix unit do, and summed up, in plain C++.
#include "kernels/hopper/implicit_weights.h"

#include "kernels/hopper/stem_lines.h"
#include "tests/kernels/copied_pixels.h"
#include "tests/kernels/implicit_cases.h"

namespace dactyl::hopper {
namespace {

// What is beyond the group is not brought.
template <class M>
Image copied_stage(const ImplicitShape& s, const WeightsWork& work, int first, const bf16* x, const bf16* dy) {
  Image to(M::bytes / 2, std::nanf(""));
  const Pixel p = s.pixel(first), seen{p.n, p.d - s.low[0], p.h - s.low[1], p.w - s.low[2]};
  const Pixels of_x = pixels(x, s.batch, s.in, i64{s.groups} * s.ins, s.from_pitch);
  const Pixels of_y = pixels(dy, s.batch, s.out, i64{s.groups} * s.outs, s.to_pitch);
  for (int i = 0; i < std::min(M::inputs, boxes(s.ins - work.in)); ++i)
    copy_pixels(to, M::input_begin + i * M::input_bytes, of_x, input_corners(s), seen, {work.d, work.h, 0},
                M::brought(s), work.group * s.ins + work.in + i * step_channels);
  for (int i = 0; i < std::min(M::blocks, boxes(s.outs - work.out)); ++i)
    copy_pixels(to, i * M::gradient_bytes, of_y, output_corners(s), p, {}, M::places,
                work.group * s.outs + work.out + i * step_channels);
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

void check_by_hand(const WantedImplicit& want) {
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

TEST(ImplicitWeights, runs_and_operands_make_the_gradient) {
  const Use use(Device::cpu());
  for (const std::vector<ImplicitCase>* cases : {&implicit_cases, &other_paddings})
    for (const ImplicitCase& c : *cases) {
      const WantedImplicit want(c, false);
      ASSERT_EQ(is_implicit_weights(want.weights), c.kernel[-1] % 2 == 1) << to_text(want.weights);
      if (is_implicit_weights(want.weights)) check_by_hand(want);
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
  const auto unpadded = [](ConvProblem& p) { p.low = p.high = {}, p.out = {1, 23, 23}; };
  EXPECT_TRUE(with(unpadded));
  EXPECT_FALSE(with([&](ConvProblem& p) { unpadded(p), p.kernel[2] = 4, p.out[2] = 24; })) << "no kernels for that";
  EXPECT_TRUE(with([&](ConvProblem& p) { unpadded(p), p.kernel[1] = 4, p.out[1] = 24; }));
}

}  // namespace
}  // namespace dactyl::hopper
