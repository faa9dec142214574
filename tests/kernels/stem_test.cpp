// Stems on Hopper's matrix units, without one: staging, operands and results are followed byte by byte, with the matrix
// unit's reading of shared memory in plain C++.
#include "kernels/hopper/stem_filter.h"
#include "kernels/hopper/stem_stage.h"
#include "tests/kernels/stem_cases.h"

namespace dactyl::hopper {
namespace {

// Shared memory as numbers; offsets into it are in bytes, as in the kernels.
using Image = std::vector<float>;

Image image_of(const std::vector<unsigned char>& bytes) {
  Image image(bytes.size() / 2);
  for (std::size_t i = 0; i < image.size(); ++i) {
    bf16 v;
    std::memcpy(&v, bytes.data() + 2 * i, 2);
    image[i] = v;
  }
  return image;
}

// Number (row or column i, place k of the sum) of an operand in shared memory, as the unit finds it: without a swizzle,
// either k or i running along 16 bytes.
float along_k(const Image& m, int at, int leading, int stride, int i, int k) {
  return m[(at + i / 8 * stride + i % 8 * 16 + k / 8 * leading + k % 8 * 2) / 2];
}
float along_i(const Image& m, int at, int leading, int stride, int i, int k) {
  return m[(at + i / 8 * stride + i % 8 * 2 + k / 8 * leading + k % 8 * 16) / 2];
}

template <int channels, bool by_parity>
Image staged_lines(const StemShape& s, const Tile& t, int tap, const Tensor& x, bool wide) {
  std::vector<unsigned char> lines(Lines<channels, by_parity>::bytes, 0xff);  // NaN where nothing is written
  const auto* from = reinterpret_cast<const std::uint16_t*>(x.raw());
  for (int thread = 0; thread < stagers; ++thread) {
    Staged<channels> staged(thread);
    wide ? staged.template load<true>(s, t, tap, from) : staged.template load<false>(s, t, tap, from);
    staged.template store<by_parity>(lines.data());
  }
  return image_of(lines);
}

bool wide_rows(const ConvProblem& p) { return p.in[2] * p.ins % 4 == 0 && p.low[2] % 2 == 0; }

template <int channels>
Image filter_image(const StemShape& s, const Tensor& w) {
  Image image(static_cast<std::size_t>(s.depth * Filters<channels>::slab));
  for (std::size_t i = 0; i < image.size(); ++i) {
    const i64 source = Filters<channels>::source(s, static_cast<int>(i));
    image[i] = source < 0 ? 0 : float(w.data<bf16>()[source]);
  }
  return image;
}

// d (64, n) += A·B, both given as (sum's index, row or column) -> number.
template <class A, class B>
void multiply(std::vector<float>& d, int n, int ks, const A& a, const B& b) {
  std::vector<float> row(static_cast<std::size_t>(n));
  for (int k = 0; k < ks; ++k) {
    for (int i = 0; i < n; ++i) row[i] = b(k, i);
    for (int m = 0; m < 64; ++m) {
      const float factor = a(k, m);
      for (int i = 0; i < n; ++i) d[m * n + i] += factor * row[i];
    }
  }
}

// A slab of both groups: 448 outputs.
template <int channels>
void multiply_slab(std::vector<float>& d, const Image& filters, const Image& lines, int tap) {
  using L = Lines<channels, false>;
  using F = Filters<channels>;
  const auto filter = [&](int k, int m) {
    return along_k(filters, tap * F::slab_bytes + k / 16 * F::step_bytes, F::half_bytes, 128, m, k % 16);
  };
  multiply(d, 448, 16 * L::k_steps, filter, [&](int k, int n) {
    const Granule first = L::granule(L::first_of_step(k / 16)), second = L::granule(L::second_of_step(k / 16));
    return along_k(lines, n / 224 * 128 + first.at, second.at - first.at, first.row_step, n % 224, k % 16);
  });
}

template <int channels>
std::vector<float> forward_by_hand(const WantedStem& want) {
  const StemShape s(want.forward);
  const Image filters = filter_image<channels>(s, want.w);
  std::vector<float> y(static_cast<std::size_t>(want.y.count()), std::nanf("")), d;
  for (TileWalk at(s, 0, 1); at.more(); at.next()) {
    if (at.begins()) d.assign(64 * 448, 0);
    const Image lines = staged_lines<channels, false>(s, at.tile, at.tap, want.x, wide_rows(want.forward));
    multiply_slab<channels>(d, filters, lines, at.tap);
    if (!at.ends()) continue;
    for (int i = 0; i < 64 * 448; ++i) {
      const int m = i / 448, row = i % 224 / 8, column = i % 448 / 224 * 8 + i % 8;
      if (at.tile.row + row >= s.out[1] || at.tile.column + column >= s.out[2]) continue;
      const float v = d[i] + (want.forward.bias ? float(want.bias.data<bf16>()[out_of_row(m)]) : 0);
      y[s.pixel(at.tile, row, column) * 64 + out_of_row(m)] = want.forward.relu && v < 0 ? 0 : v;
    }
  }
  return y;
}

// What an operand's description can say.
template <int channels>
void check_steps() {
  using L = Lines<channels, false>;
  for (int k = 0; k < L::k_steps; ++k) {
    const Granule first = L::granule(L::first_of_step(k)), second = L::granule(L::second_of_step(k));
    EXPECT_GT(second.at, first.at);
    EXPECT_EQ(first.row_step, second.row_step);
    EXPECT_LE(second.at + (tile_rows - 1) * second.row_step + 16 * 16, L::bytes);
  }
}

// dy of a tile, as copied; and the operand's number (channel m, output k of a row) that load_turned makes of it.
Image gradient_image(const StemShape& s, const Tile& t, const Tensor& dy) {
  std::vector<unsigned char> bytes(gradient_bytes, 0);
  for (int i = 0; i < tile_rows * tile_columns * 8; ++i) {
    const int output = i / 8, row = output / tile_columns, column = output % tile_columns;
    if (t.row + row >= s.out[1] || t.column + column >= s.out[2]) continue;
    std::memcpy(bytes.data() + pack_at(output, i % 8), dy.data<bf16>() + s.pixel(t, row, column) * 64 + i % 8 * 8, 16);
  }
  return image_of(bytes);
}
float turned_number(const Image& image, int row, int m, int k) {
  const int matrix = m / 8 % 2 + k / 8 * 2, lane = matrix * 8 + k % 8;  // a matrix has a row for each output
  return image[turned_pack_at(row * tile_columns, m / 16, lane) / 2 + m % 8];
}

template <int channels>
void multiply_tile(std::vector<float>& d, const Image& gradient, const Image& lines) {
  using L = Lines<channels, true>;
  constexpr int run = channels == 3 ? 48 : 56;  // numbers of one multiplication
  const auto dy = [&](int k, int m) { return turned_number(gradient, k / tile_columns, m, k % tile_columns); };
  multiply(d, L::granules * 8, tile_rows * tile_columns, dy, [&](int k, int n) {
    const int row = k / tile_columns;
    const Granules g = L::run(n / run, row % 2);
    return along_i(lines, g.at + row / 2 * g.two_rows, 128, g.step, n % run, k % tile_columns);
  });
}

template <int channels>
std::vector<float> weights_by_hand(const WantedStem& want) {
  constexpr int slab = FilterSums<channels>::slab, n = slab / 64;
  const StemShape s(want.weights);
  std::vector<float> dw(static_cast<std::size_t>(want.dw.count()), std::nanf(""));
  for (int tap = 0; tap < s.depth; ++tap) {
    std::vector<float> d(slab);
    for (TapWalk at(s, tap, 0, 1); at.more(); at.next())
      multiply_tile<channels>(d, gradient_image(s, at.tile, want.dy),
                              staged_lines<channels, true>(s, at.tile, at.tap, want.x, wide_rows(want.weights)));
    for (int i = 0; i < slab; ++i)
      if (const i64 target = FilterSums<channels>::target(s, tap * slab + i); target >= 0) {
        EXPECT_TRUE(std::isnan(dw[target])) << "two places for one number";
        dw[target] = d[i % 64 * n + i / 64];
      }
  }
  return dw;
}

std::vector<double> doubles(const std::vector<float>& v) { return {v.begin(), v.end()}; }

TEST(Stem, lines_and_operands_make_the_convolution) {
  const Use use(Device::cpu());
  for (const StemCase& c : stem_cases) {
    const WantedStem want(c, c.x.rank() == 5 && c.x[0] == 2);
    SCOPED_TRACE(to_text(want.forward));
    ASSERT_TRUE(is_stem(want.forward) && is_stem(want.weights));
    const bool colour = want.forward.ins == 3;
    expect_close("y", doubles(colour ? forward_by_hand<3>(want) : forward_by_hand<2>(want)), numbers(want.y), 1e-5);
    expect_close("dw", doubles(colour ? weights_by_hand<3>(want) : weights_by_hand<2>(want)), numbers(want.dw), 1e-5);
  }
}

TEST(Stem, operands_can_be_described) {
  check_steps<3>();
  check_steps<2>();
}

}  // namespace
}  // namespace dactyl::hopper
