// 3×3 pools by strips against the plain bodies: the same code on the CPU and on a GPU.
#include "kernels/fast/max_pool_strips.h"

#include "kernels/fast/max_pool.h"
#include "tests/kernels/pool_numbers.h"

namespace dactyl {
namespace {

struct Case {
  Shape x;
  Shape low = {1, 1}, high = {1, 1};
  i64 stride = 1;
  Rounding rounding = Rounding::floor;

  // Of volumes the planes by themselves.
  Window window() const {
    if (x.rank() == 4) return {{3, 3}, {stride, stride}, low, high};
    return {{1, 3, 3}, {1, stride, stride}, {0, low[0], low[1]}, {0, high[0], high[1]}};
  }
};

// Extents smaller than a window and odd ones, heights that leave the last chunk short, no padding and uneven; packs
// that fill groups and do not.
std::vector<Case> cases() {
  return {{{2, 7, 7, 104}},
          {{1, 14, 14, 48}},
          {{1, 11, 13, 72}},
          {{2, 9, 2, 136}},
          {{3, 1, 1, 8}},
          {{1, 2, 5, 24}},
          {{1, 1, 6, 16}},
          {{2, 6, 1, 88}},
          {{2, 3, 5, 4, 16}},
          {{1, 3, 3, 8}, {0, 0}, {0, 0}},
          {{2, 8, 9, 16}, {0, 0}, {0, 0}},
          {{1, 10, 7, 24}, {0, 1}, {1, 0}},
          {{1, 5, 6, 8}, {1, 0}, {0, 1}},
          {{1, 2, 3, 16}, {1, 0}, {0, 0}},
          {{1, 6, 5, 8}, {2, 0}, {0, 2}},
          {{1, 1, 1, 24}, {2, 2}, {2, 2}},
          {{1, 4, 7, 8}, {0, 2}, {2, 1}},
          {{2, 14, 13, 48}, {0, 0}, {0, 0}, 2, Rounding::ceil},
          {{1, 11, 10, 72}, {1, 1}, {1, 1}, 2},
          {{1, 10, 3, 104}, {0, 1}, {1, 0}, 2},
          {{2, 3, 7, 6, 16}, {0, 0}, {1, 1}, 2},
          {{1, 9, 4, 8}, {2, 0}, {0, 2}, 2},
          {{3, 1, 1, 8}, {1, 2}, {1, 2}, 2},
          {{1, 4, 2, 24}, {0, 0}, {0, 2}, 2, Rounding::ceil}};
}

constexpr DType types[] = {DType::f32, DType::bf16, DType::f16};
constexpr i64 chunks_of_two = 1ll << 40, whole_columns = 1;

// By definition: of the largest numbers the first in the order of the window; tap 0 where there are none.
Tensor plain_taps(const Geometry& g, const Tensor& x, const Shape& shape) {
  const std::vector<float> numbers = x.floats();
  const Tensor taps(shape, DType::u8, Device::cpu());
  auto* to = taps.data<std::uint8_t>();
  for (i64 row = 0; row < g.rows_out(); ++row)
    for (i64 c = 0; c < g.channels; ++c) {
      float best = -std::numeric_limits<float>::infinity();
      std::uint8_t& chosen = to[row * g.channels + c] = 0;
      g.each_tap(row, [&](i64 tap, i64 at) {
        const float v = numbers[static_cast<std::size_t>(at * g.channels + c)];
        if (!(v > best)) return;
        best = v;
        chosen = static_cast<std::uint8_t>(tap);
      });
    }
  return taps;
}

// A slice of a wider tensor of sevens, and whether they still are.
struct Slice {
  Tensor outer, inner;

  explicit Slice(const Tensor& like)
      : outer(Tensor::full(like.shape().with(-1, like.shape().channels() + 24), 7, like.dtype()).to(like.device())),
        inner(outer.slice(8, like.shape().channels())) {
    inner.fill(-3);
  }
  void expect(const Tensor& want, const char* what) const {
    EXPECT_TRUE(same_bits(inner, want)) << what;
    const i64 channels = want.shape().channels();
    for (const auto& [first, count] : {std::pair<i64, i64>{0, 8}, {8 + channels, 16}}) {
      const Tensor beside = outer.slice(first, count);
      EXPECT_TRUE(same_bits(beside, Tensor::full(beside.shape(), 7, want.dtype()).to(want.device()))) << "beside";
    }
  }
};

void expect_plain(const Case& c, const Tensor& x) {
  const auto plain = [&](const std::vector<Tensor>& in) {
    return max_pool(in[0], {.window = c.window(), .rounding = c.rounding, .algorithm = Algorithm::reference});
  };
  const Tensor y = plain({x}), dy = pitched(random(y.shape()).value.to(x.dtype()).to(x.device()));
  const Geometry g = geometry(c.x, y.shape(), c.window());
  const Tensor dx = run(plain, {{x}}, dy).dx[0], chosen = plain_taps(g, x, y.shape()).to(x.device());
  for (const i64 enough : {whole_columns, chunks_of_two}) {
    SCOPED_TRACE(enough == whole_columns ? "whole columns" : "chunks");
    const Tensor taps(y.shape(), DType::u8, x.device());
    const Slice noted(y), bare(y), back(dx);
    ASSERT_TRUE(fast::max_pool_forward_by_strips(g, pitched(x), noted.inner, taps.data<std::uint8_t>(), enough));
    noted.expect(y, "with taps");
    EXPECT_TRUE(same_bits(taps, chosen)) << "taps";
    ASSERT_TRUE(fast::max_pool_forward_by_strips(g, pitched(x), bare.inner, nullptr, enough));
    bare.expect(y, "without taps");
    ASSERT_EQ(fast::max_pool_backward_by_strips(g, dy, chosen.data<std::uint8_t>(), back.inner, enough), c.stride == 1);
    if (c.stride == 1) back.expect(dx, "gradient");
  }
}

}  // namespace

TEST(MaxPoolSquare, strips_meet_every_result_once) {
  for (const i64 packs : {1, 3, 8, 9, 13, 60, 66})
    for (const i64 height : {1, 2, 5, 7, 14})
      for (const i64 enough : {1, 700, 100000}) {
        const fast::Strips strips(3, height, 5, packs, 8, enough);
        EXPECT_TRUE(strips.threads() >= enough || strips.threads() >= 3 * ((height + 1) / 2) * 5 * packs);
        std::vector<int> seen(static_cast<std::size_t>(3 * height * 5 * packs));
        for (i64 i = 0; i < strips.threads(); ++i) {
          fast::Strip s;
          if (!strips.find(static_cast<unsigned>(i), s)) continue;
          for (int h = s.first; h < s.end; ++h)
            ++seen.at(static_cast<std::size_t>(((s.plane * height + h) * 5 + s.w) * packs + s.channel / 8));
        }
        EXPECT_EQ(std::count(seen.begin(), seen.end(), 1), static_cast<std::ptrdiff_t>(seen.size())) << packs;
      }
}

TEST(MaxPoolSquare, strips_equal_plain_bodies) {
  on_each_device([] {
    for (const Case& c : cases())
      for (const DType type : types) {
        SCOPED_TRACE(to_text(c.x) + " " + to_text(c.low) + " " + to_text(c.high) + " " + to_text(type) + " stride " +
                     std::to_string(c.stride));
        expect_plain(c, tied(c.x, type).to(Context::current().device()));
      }
  });
}

TEST(MaxPoolSquare, of_equal_numbers_the_first_and_of_nans_none) {
  on_each_device([] {
    for (const double number : {2.0, -std::numeric_limits<double>::infinity(), std::nan("")})
      for (const DType type : types)
        expect_plain({{1, 5, 4, 16}}, Tensor::full({1, 5, 4, 16}, number, type).to(Context::current().device()));
  });
}

TEST(MaxPoolSquare, leaves_other_windows) {
  const Tensor x({1, 6, 6, 8}, DType::bf16), y({1, 3, 3, 8}, DType::bf16);
  EXPECT_FALSE(fast::max_pool_forward_by_strips(geometry(x.shape(), y.shape(), square(2, 2)), x, y, nullptr));
}

}  // namespace dactyl
