// Stems on Hopper's matrix units. On the CPU: staging, operands and results are followed byte by byte, with the matrix
// unit's reading of shared memory in plain C++. On a GPU: the kernels against the reference loops.
#include "kernels/hopper/stem.h"

#include "kernels/hopper/stem_filter.h"
#include "kernels/hopper/stem_stage.h"
#include "tests/check_op.h"

namespace dactyl::hopper {
namespace {

struct Case {
  Shape x, w;
  Window window;
};

Window same(i64 depth, Shape before, Shape after) { return {{depth, 7, 7}, {2, 2, 2}, std::move(before), std::move(after)}; }

// Both channel counts; rows that begin at words and rows that do not; one tile and several, cut at both borders; frames
// before and behind the clip; a single frame; a window that never meets its input along the depth.
const std::vector<Case> cases{
    {{1, 4, 20, 36, 3}, {64, 7, 7, 7, 3}, same(7, {2, 2, 2}, {3, 3, 3})},
    {{2, 3, 61, 35, 3}, {64, 7, 7, 7, 3}, same(7, {3, 3, 3}, {3, 3, 3})},
    {{1, 5, 19, 37, 2}, {64, 7, 7, 7, 2}, same(7, {3, 3, 3}, {3, 3, 3})},
    {{1, 4, 62, 30, 2}, {64, 3, 7, 7, 2}, same(3, {0, 2, 2}, {1, 3, 3})},
    {{2, 30, 40, 3}, {64, 7, 7, 3}, {{7, 7}, {2, 2}, {3, 3}, {3, 3}}},
    {{1, 1, 9, 8, 3}, {64, 2, 7, 7, 3}, same(2, {6, 2, 0}, {0, 3, 0})},
};

Tensor noise(const Shape& shape, std::uint32_t stream) {
  Tensor t(shape, DType::f32, Device::cpu());
  Sequence numbers(test_seed(), stream);
  for (i64 i = 0; i < t.count(); ++i) t.data<float>()[i] = static_cast<float>(2 * numbers.uniform() - 1);
  return t.to(DType::bf16).to(Context::current().device());
}

// Operands in bf16, results by the reference loops in f32.
struct Wanted {
  Tensor x, w, bias, dy, y, dw;
  ConvProblem forward, weights;

  Wanted(const Case& c, bool epilogue) : x(noise(c.x, 1)), w(noise(c.w, 2)) {
    if (epilogue) bias = noise({64}, 3);
    ConvOptions options{.window = c.window, .relu = epilogue, .algorithm = Algorithm::reference};
    if (epilogue) options.bias = bias.to(DType::f32);
    y = conv(x.to(DType::f32), w.to(DType::f32), options);
    dy = noise(y.shape(), 4);
    const Tensor filters = w.to(DType::f32).watch();
    Tape tape;
    const Tensor plain = conv(x.to(DType::f32), filters, {.window = c.window, .algorithm = Algorithm::reference});
    tape.backward(record("projection", {plain}, Tensor::zeros({1}), [&](const Tensor&) {
      return Grads{dy.to(DType::f32)};
    }));
    dw = filters.grad();
    options.bias = bias;
    const Tensor narrow(y.shape(), DType::bf16);
    forward = conv_problem(Pass::forward, x, w, narrow, options);
    weights = conv_problem(Pass::weights, x, w, narrow, {.window = c.window});
    forward.alignment = weights.alignment = {16, 16, 16};
  }
};

float number(const std::vector<unsigned char>& bytes, int at) {
  bf16 v;
  std::memcpy(&v, bytes.data() + at, 2);
  return v;
}

// Number (row or column i, place k of the sum) of an operand in shared memory, as the unit finds it: without a swizzle,
// either k or i running along 16 bytes.
float along_k(const std::vector<unsigned char>& m, int at, int leading, int stride, int i, int k) {
  return number(m, at + i / 8 * stride + i % 8 * 16 + k / 8 * leading + k % 8 * 2);
}
float along_i(const std::vector<unsigned char>& m, int at, int leading, int stride, int i, int k) {
  return number(m, at + i / 8 * stride + i % 8 * 2 + k / 8 * leading + k % 8 * 16);
}

template <int channels, bool by_parity>
std::vector<unsigned char> staged_lines(const StemShape& s, const Tile& t, int tap, const Tensor& x, bool even) {
  std::vector<unsigned char> lines(Lines<channels, by_parity>::bytes, 0xff);  // NaN where nothing is written
  const auto* from = reinterpret_cast<const std::uint16_t*>(x.raw());
  for (int thread = 0; thread < stagers; ++thread) {
    Staged<channels> staged(thread);
    even ? staged.template load<true>(s, t, tap, from) : staged.template load<false>(s, t, tap, from);
    staged.template store<by_parity>(lines.data());
  }
  return lines;
}

bool even_rows(const ConvProblem& p) { return p.in[2] * p.ins % 2 == 0 && p.low[2] * p.ins % 2 == 0; }

template <int channels>
std::vector<unsigned char> filter_image(const StemShape& s, const Tensor& w) {
  std::vector<unsigned char> image(static_cast<std::size_t>(s.depth * Filters<channels>::slab_bytes));
  for (int i = 0; i < s.depth * Filters<channels>::slab; ++i) {
    const i64 source = Filters<channels>::source(s, i);
    const bf16 v = source < 0 ? bf16(0) : w.data<bf16>()[source];
    std::memcpy(image.data() + 2 * i, &v, 2);
  }
  return image;
}

template <int channels>
std::vector<float> forward_by_hand(const Wanted& want) {
  using L = Lines<channels, false>;
  using F = Filters<channels>;
  const StemShape s(want.forward);
  const std::vector<unsigned char> filters = filter_image<channels>(s, want.w);
  std::vector<float> y(static_cast<std::size_t>(want.y.count()), std::nanf("")), d;
  for (TileWalk at(s, 0, 1); at.more(); at.next()) {
    if (at.begins()) d.assign(2 * 64 * 224, 0);
    const auto lines = staged_lines<channels, false>(s, at.tile, at.tap, want.x, even_rows(want.forward));
    for (int i = 0; i < 2 * 64 * 224; ++i) {
      const int group = i / (64 * 224), m = i / 224 % 64, n = i % 224;
      for (int k = 0; k < 16 * L::k_steps; ++k) {
        const Granule first = L::granule(L::first_of_step(k / 16)), second = L::granule(L::second_of_step(k / 16));
        EXPECT_GT(second.at, first.at);
        EXPECT_EQ(first.row_step, second.row_step);
        d[i] += along_k(filters, at.tap * F::slab_bytes + k / 16 * F::step_bytes, F::half_bytes, 128, m, k % 16) *
                along_k(lines, group * 128 + first.at, second.at - first.at, first.row_step, n, k % 16);
      }
      if (!at.ends() || at.tile.row + n / 8 >= s.out[1] || at.tile.column + group * 8 + n % 8 >= s.out[2]) continue;
      float v = d[i];
      if (want.forward.bias) v += float(want.bias.data<bf16>()[out_of_row(m)]);
      y[s.pixel(at.tile, n / 8, group * 8 + n % 8) * 64 + out_of_row(m)] = want.forward.relu && v < 0 ? 0 : v;
    }
  }
  return y;
}

// dy of a tile, as copied; and the operand's number (channel m, output k of a row) that load_turned makes of it.
std::vector<unsigned char> gradient_image(const StemShape& s, const Tile& t, const Tensor& dy) {
  std::vector<unsigned char> image(gradient_bytes, 0);
  for (int i = 0; i < tile_rows * tile_columns * 8; ++i) {
    const int output = i / 8, row = output / tile_columns, column = output % tile_columns;
    if (t.row + row >= s.out[1] || t.column + column >= s.out[2]) continue;
    std::memcpy(image.data() + pack_at(output, i % 8), dy.data<bf16>() + s.pixel(t, row, column) * 64 + i % 8 * 8, 16);
  }
  return image;
}
float turned_number(const std::vector<unsigned char>& image, int row, int m, int k) {
  const int matrix = m / 8 % 2 + k / 8 * 2, lane = matrix * 8 + k % 8;  // rows of a matrix are outputs, columns channels
  return number(image, turned_pack_at(row * tile_columns, m / 16, lane) + m % 8 * 2);
}

template <int channels>
std::vector<float> weights_by_hand(const Wanted& want) {
  using L = Lines<channels, true>;
  constexpr int slab = FilterSums<channels>::slab, run = channels == 3 ? 6 : 7;
  const StemShape s(want.weights);
  std::vector<float> sums(static_cast<std::size_t>(s.depth * slab)), dw(want.dw.count(), std::nanf(""));
  for (int tap = 0; tap < s.depth; ++tap)
    for (TapWalk at(s, tap, 0, s.tiles); at.more(); at.next()) {
      const auto lines = staged_lines<channels, true>(s, at.tile, at.tap, want.x, even_rows(want.weights));
      const auto gradient = gradient_image(s, at.tile, want.dy);
      for (int i = 0; i < slab; ++i) {
        const int n = i / 64, m = i % 64, which = n / 8 / run;
        for (int k = 0; k < tile_rows * tile_columns; ++k) {
          const int row = k / tile_columns;
          const Granules g = L::run(which, row % 2);
          sums[tap * slab + i] +=
              turned_number(gradient, row, m, k % 16) *
              along_i(lines, g.at + row / 2 * g.two_rows, 128, g.step, n - which * run * 8, k % 16);
        }
      }
    }
  for (int i = 0; i < s.depth * slab; ++i)
    if (const i64 target = FilterSums<channels>::target(s, i); target >= 0) {
      EXPECT_TRUE(std::isnan(dw[target])) << "two places for one number";
      dw[target] = sums[i];
    }
  return dw;
}

std::vector<double> doubles(const std::vector<float>& v) { return {v.begin(), v.end()}; }

TEST(Stem, lines_and_operands_make_the_convolution) {
  const Use use(Device::cpu());
  for (const Case& c : cases) {
    const Wanted want(c, c.x.rank() == 5 && c.x[0] == 2);
    SCOPED_TRACE(to_text(want.forward));
    ASSERT_TRUE(is_stem(want.forward) && is_stem(want.weights));
    const bool colour = want.forward.ins == 3;
    expect_close("y", doubles(colour ? forward_by_hand<3>(want) : forward_by_hand<2>(want)), numbers(want.y), 1e-5);
    expect_close("dw", doubles(colour ? weights_by_hand<3>(want) : weights_by_hand<2>(want)), numbers(want.dw), 1e-5);
  }
}

// On the GPU: more tiles than there are blocks, so that each goes through several, cut at all borders.
const std::vector<Case> large{
    {{3, 20, 90, 100, 3}, {64, 7, 7, 7, 3}, same(7, {2, 2, 2}, {3, 3, 3})},
    {{3, 9, 95, 101, 3}, {64, 7, 7, 7, 3}, same(7, {3, 3, 3}, {3, 3, 3})},
    {{3, 20, 90, 101, 2}, {64, 7, 7, 7, 2}, same(7, {2, 2, 3}, {3, 3, 3})},
    {{40, 96, 96, 3}, {64, 7, 7, 3}, {{7, 7}, {2, 2}, {2, 2}, {3, 3}}},
};

// Runs a pass on memory full of NaN with guard zones, again, and as a replayed graph.
std::vector<double> thrice(const Shape& shape, const std::function<void(const Tensor&)>& pass) {
  const i64 before = Pool::damaged();
  Pool::guard(true);
  Tensor first(shape, DType::bf16), again(shape, DType::bf16);
  pass(first);
  pass(again);
  const Tensor kept = first.clone();
  Pool::guard(false);
  EXPECT_EQ(Pool::damaged(), before) << "memory behind the end was written";
  EXPECT_TRUE(same_bits(first, again)) << "other bits at the second time";
  Graph graph([&] { pass(again); });
  for (int i = 0; i < 2; ++i) graph.run();
  EXPECT_TRUE(graph.captured()) << graph.why_eager();
  again.fill(std::nan(""));
  graph.run();
  EXPECT_TRUE(same_bits(kept, again)) << "other bits from a graph";
  return numbers(kept);
}

void check_kernels(const Case& c, bool epilogue) {
  const Wanted want(c, epilogue);
  SCOPED_TRACE(to_text(want.forward));
  const auto forward = [&](const Tensor& y) { stem_forward(want.forward, {want.x, want.w, y, want.bias}); };
  expect_close("y", thrice(want.y.shape(), forward), numbers(want.y), tolerance(DType::bf16));
  const auto weights = [&](const Tensor& dw) { stem_weights(want.weights, {want.x, dw, want.dy, {}}); };
  expect_close("dw", thrice(want.w.shape(), weights), numbers(want.dw), tolerance(DType::bf16));
}

TEST(Stem, kernels_agree_with_the_loops) {
  if (gpu_count() == 0) GTEST_SKIP() << "no GPU here";
  const Use use(Device::cuda());
  if (!has_stem_kernels()) GTEST_SKIP() << "this GPU is no Hopper";
  for (const auto* some : {&cases, &large})
    for (const Case& c : *some)
      for (const bool epilogue : {false, true}) check_kernels(c, epilogue);
}

TEST(Stem, is_asked_for_by_shape) {
  const Wanted want(cases[0], false);
  const auto without = [&](auto change) {
    ConvProblem p = want.forward;
    change(p);
    return is_stem(p);
  };
  EXPECT_TRUE(is_stem(want.forward));
  EXPECT_FALSE(without([](ConvProblem& p) { p.pass = Pass::data; }));
  EXPECT_FALSE(without([](ConvProblem& p) { p.dtype = DType::f16; }));
  EXPECT_FALSE(without([](ConvProblem& p) { p.ins = 4; }));
  EXPECT_FALSE(without([](ConvProblem& p) { p.outs = 96; }));
  EXPECT_FALSE(without([](ConvProblem& p) { p.kernel[0] = 8; }));
  EXPECT_FALSE(without([](ConvProblem& p) { p.kernel[2] = 11; }));
  EXPECT_FALSE(without([](ConvProblem& p) { p.stride[1] = 4; }));
  EXPECT_FALSE(without([](ConvProblem& p) { p.alignment[2] = 8; }));
  EXPECT_FALSE(without([](ConvProblem& p) { p.batch = i64{1} << 31; }));
}

}  // namespace
}  // namespace dactyl::hopper
