// Pooling by packs against the plain bodies: on the CPU, where the same code runs, and on a GPU.
#include "kernels/fast/max_pool.h"
#include "kernels/fast/tiles.h"
#include "tests/kernels/pool_numbers.h"

namespace dactyl {
namespace {

struct Case {
  Shape x;
  Window window;
  Rounding rounding = Rounding::floor;
};

// The windows of the nets, paddings that differ, and one that no net has; extents that fill no box.
std::vector<Case> cases() {
  const auto cube = [](i64 stride, Shape low, Shape high) {
    return Window{{3, 3, 3}, {stride, stride, stride}, low, high};
  };
  return {{{2, 13, 15, 64}, square(3, 2), Rounding::ceil},
          {{1, 14, 9, 48}, square(3, 2, 1)},
          {{1, 11, 12, 24}, square(3, 1, 1)},
          {{2, 3, 12, 14, 16}, {{1, 3, 3}, {1, 2, 2}, {0, 0, 0}, {0, 1, 1}}},
          {{2, 3, 9, 7, 16}, {{1, 3, 3}, {1, 2, 2}, {0, 1, 1}, {0, 1, 1}}},
          {{1, 6, 9, 14, 72}, cube(2, {0, 0, 0}, {1, 1, 1})},
          {{1, 5, 8, 7, 8}, cube(2, {1, 1, 1}, {1, 1, 1})},
          {{2, 4, 7, 6, 16}, {{2, 2, 2}, {2, 2, 2}, {0, 0, 0}, {0, 1, 0}}},
          {{1, 11, 7, 9, 72}, cube(1, {1, 1, 1}, {1, 1, 1})},
          {{3, 2, 14, 14, 16}, cube(1, {1, 1, 1}, {1, 1, 1})},
          {{1, 1, 1, 1, 8}, cube(1, {1, 1, 1}, {1, 1, 1})},
          {{1, 6, 5, 8, 8}, cube(1, {0, 2, 1}, {2, 0, 0})},
          {{2, 9, 8, 32}, square(5, 3, 2)},
          {{2, 9, 24}, window({4}, {1}, {2})}};
}

Tensor pool(const Tensor& x, const Case& c, Algorithm algorithm, Tensor into = {}) {
  return max_pool(x, {.window = c.window, .rounding = c.rounding, .into = into, .algorithm = algorithm});
}

Outcome run_pool(const Case& c, const Tensor& x, const Tensor& dy, Algorithm algorithm) {
  return run([&](const std::vector<Tensor>& in) { return pool(in[0], c, algorithm); }, {{x}}, dy);
}

constexpr DType types[] = {DType::f32, DType::bf16, DType::f16};

}  // namespace

TEST(FastMaxPool, boxes_meet_every_spot_once) {
  const fast::Tiles tiles(2, 3, 7, 9, 11, 1, 2, 2);
  std::vector<int> seen(2 * 3 * 7 * 9 * 11);
  for (i64 i = 0; i < tiles.threads(); ++i) {
    fast::Spot s;
    if (!tiles.find(i, s)) continue;
    ++seen.at(static_cast<std::size_t>((((s.n * 3 + s.d) * 7 + s.h) * 9 + s.w) * 11 + s.pack));
  }
  EXPECT_EQ(std::count(seen.begin(), seen.end(), 1), static_cast<std::ptrdiff_t>(seen.size()));
}

// The kernels' own code, which the CPU runs too: bits of values, taps and gradients.
TEST(FastMaxPool, packs_equal_plain_bodies) {
  on_each_device([] {
    const Device device = Context::current().device();
    for (const Case& c : cases())
      for (const DType type : types) {
        SCOPED_TRACE(to_text(c.x) + " " + to_text(c.window.kernel) + " " + to_text(type));
        const Tensor x = pitched(tied(c.x, type)), y = pool(x, c, Algorithm::reference);
        const Geometry g = geometry(c.x, y.shape(), c.window);
        const Tensor dy = pitched(random(y.shape()).value.to(type).to(device));
        const Tensor into = pitched(y), dx(c.x, type, device), taps(y.shape(), DType::u8, device);
        into.detached().fill(-3);
        ASSERT_TRUE(fast::pools_by_packs(g, x, into));
        fast::max_pool_forward(g, x, into, taps.data<std::uint8_t>());
        fast::max_pool_backward(g, dy, taps.data<std::uint8_t>(), dx);
        expect_same_bits("packs", {into, {dx}}, run_pool(c, x, dy, Algorithm::reference));
        fast::max_pool_forward(g, x, into, nullptr);
        EXPECT_TRUE(same_bits(into, y)) << "without taps";
      }
  });
}

TEST(FastMaxPool, writes_only_its_slice) {
  on_each_device([] {
    const Tensor x = tied({1, 3, 5, 6, 16}, DType::bf16), outer = Tensor::full({1, 3, 5, 6, 32}, 7, DType::bf16);
    const Case c{x.shape(), window({3, 3, 3}, {1, 1, 1}, {1, 1, 1})};
    fast::max_pool_forward(geometry(x.shape(), x.shape(), c.window), x, outer.slice(8, 16), nullptr);
    for (const i64 beside : {0, 24})
      EXPECT_TRUE(same_bits(outer.slice(beside, 8), Tensor::full({1, 3, 5, 6, 8}, 7, DType::bf16))) << beside;
  });
}

// Through the operation, whichever path it takes: odd channels and slices off the 16-byte grid take the plain one.
TEST(FastMaxPool, automatic_equals_reference) {
  on_each_device([] {
    const Device device = Context::current().device();
    for (Case c : cases())
      for (const DType type : types)
        for (const i64 more : {0, 1, 4}) {
          c.x = c.x.with(-1, c.x.channels() + more);
          SCOPED_TRACE(to_text(c.x) + " " + to_text(c.window.kernel) + " " + to_text(type));
          const Tensor x = tied(c.x, type),
                       dy = random(pool(x, c, Algorithm::reference).shape()).value.to(type).to(device);
          const Outcome want = run_pool(c, x, dy, Algorithm::reference);
          expect_same_bits("dense", run_pool(c, x, dy, Algorithm::automatic), want);
          expect_same_bits("slices", run_pool(c, sliced(x).inner, sliced(dy).inner, Algorithm::automatic), want);
        }
  });
}

TEST(FastMaxPool, refuses_what_fills_no_packs) {
  const Tensor x({1, 4, 4, 24}, DType::bf16), y({1, 4, 4, 24}, DType::bf16);
  const Geometry g = geometry(x.shape(), y.shape(), square(3, 1, 1));
  EXPECT_TRUE(fast::pools_by_packs(g, x, y));
  EXPECT_FALSE(fast::pools_by_packs(g, x.slice(0, 20), y.slice(0, 20))) << "channels";
  EXPECT_FALSE(fast::pools_by_packs(g, x.slice(4, 16), y.slice(0, 16))) << "address";
  EXPECT_FALSE(fast::pools_by_packs(g, x, Tensor({1, 4, 4, 28}, DType::bf16).slice(0, 24))) << "pitch";
  const Tensor nothing({0, 4, 4, 24}, DType::bf16), bare({1, 4, 4, 0}, DType::bf16);
  EXPECT_FALSE(fast::pools_by_packs(geometry(nothing.shape(), nothing.shape(), square(3, 1, 1)), nothing, nothing));
  EXPECT_FALSE(fast::pools_by_packs(geometry(bare.shape(), bare.shape(), square(3, 1, 1)), bare, bare))
      << "no channels";
  EXPECT_FALSE(fast::pools_by_packs(geometry({1, 40, 40, 24}, {1, 24, 24, 24}, square(17)), x, y)) << "taps";
}

}  // namespace dactyl
