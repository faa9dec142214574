// Normalisation and max pool in one, by packs: the kernels' own code on either device, against the plain bodies.
#include "kernels/fast/batch_norm_max_pool.h"
#include "tests/kernels/norm_pool_cases.h"

namespace dactyl {
namespace {

using namespace norm_pool;

// By the two operations' plain bodies.
Outcome apart(const Case& c, const Tensor& x, const Exact& k, bool relu, const Tensor& dy = {}) {
  return run(
      [&](const std::vector<Tensor>& in) {
        const Tensor z = batch_norm(in[0], k.gamma, k.beta, k.mean, k.var, frozen(relu, Algorithm::reference));
        return max_pool(z, pool_of(c, Algorithm::reference));
      },
      {{x}}, dy);
}

// By the kernels' own code, which the CPU runs too. of: Σ g and Σ g·x̂, as of a batch if there are some.
struct Packed {
  Tensor y, chosen, taps, dx;
  Packed(const Case& c, const Tensor& x, const Exact& k, bool relu, const Tensor& dy, NormSums of = {}) {
    y = pitched(Tensor::full(dy.shape(), 9, x.dtype()));
    chosen = Tensor(dy.shape(), x.dtype());
    taps = Tensor(dy.shape(), DType::u8);
    dx = empty_like(x);
    const Geometry g = geometry(c.x, dy.shape(), c.window);
    NormArguments a = norm_arguments(x, k.gamma, k.beta, k.mean, k.var, frozen(relu));
    fit_frozen(a);
    if (of.of_g.defined())
      a.options.statistics = Statistics::batch;
    else
      of = {Tensor::zeros({g.channels}), Tensor::zeros({g.channels})};
    fast::norm_max_pool(a, g, y, chosen, taps);
    fast::norm_max_pool_gradient(a, g, dy, taps, of, dx);
    const Tensor again = empty_like(y);
    fast::norm_max_pool(a, g, again, {}, {});
    EXPECT_TRUE(same_bits(again, y)) << "without a way back";
  }
};

}  // namespace

TEST(FastBatchNormMaxPool, packs_equal_plain_bodies) {
  on_each_device([] {
    for (const Case& c : cases())
      for (const DType type : types)
        for (const bool relu : {false, true}) {
          SCOPED_TRACE(to_text(c.x) + " " + to_text(c.window.kernel) + " " + to_text(type) + (relu ? " relu" : ""));
          const Exact k(c.x.channels());
          const Tensor x = pitched(few(c.x, 5, type)), y = apart(c, x, k, relu).y;
          const Tensor dy = pitched(few(y.shape(), 6, type, 0.25f));
          const Packed got(c, x, k, relu, dy);
          const Outcome want = apart(c, x, k, relu, dy);
          EXPECT_TRUE(same_bits(got.y, want.y));
          EXPECT_EQ(numbers(got.dx), numbers(want.dx[0]));  // zeros may differ in sign
        }
  });
}

// Each window's x is the one whose tap is noted, and becomes y.
TEST(FastBatchNormMaxPool, notes_the_x_that_it_chose) {
  on_each_device([] {
    const Case c{{2, 3, 9, 7, 16}, {{1, 3, 3}, {1, 2, 2}, {0, 1, 1}, {0, 1, 1}}};
    const Exact k(16);
    const Tensor x = few(c.x, 7, DType::bf16), y = apart(c, x, k, true).y;
    const Packed got(c, x, k, true, few(y.shape(), 8, DType::bf16));
    const Tensor of_chosen = batch_norm(got.chosen, k.gamma, k.beta, k.mean, k.var, frozen(true, Algorithm::reference));
    EXPECT_TRUE(same_bits(of_chosen, y));
    const Tensor taps = got.taps.to(Device::cpu());
    const std::vector<float> values = y.floats();
    for (std::size_t i = 0; i < values.size(); ++i)
      EXPECT_EQ(taps.data<std::uint8_t>()[i] == fast::no_tap, values[i] == 0) << i;
  });
}

TEST(FastBatchNormMaxPool, passes_over_nan_as_max_pool_does) {
  on_each_device([] {
    for (const Case& c : cases())
      for (const DType type : types) {
        SCOPED_TRACE(to_text(c.x) + " " + to_text(type));
        const Exact k(c.x.channels());
        const Tensor x = few(c.x, 9, type, 1, true), y = apart(c, x, k, true).y;
        EXPECT_TRUE(same_bits(Packed(c, x, k, true, few(y.shape(), 6, type)).y, y));
      }
  });
}

// dx of the batch's statistics, from sums as the operation makes them.
TEST(FastBatchNormMaxPool, takes_off_what_all_elements_share) {
  on_each_device([] {
    const Case c{{2, 9, 11, 24}, square(3, 2), Rounding::ceil};
    const Exact k(24);
    const Tensor x = few(c.x, 10, DType::f32), y = apart(c, x, k, true).y, dy = few(y.shape(), 11, DType::f32);
    const NormSums of{Exact::each(24, {99, -198}), Exact::each(24, {198, 0, 99})};  // 2·9·11 rows
    const std::vector<float> plain = Packed(c, x, k, true, dy).dx.floats(),
                             got = Packed(c, x, k, true, dy, of).dx.floats(), of_g = of.of_g.floats(),
                             of_gx = of.of_gx.floats(), in = x.floats();
    const NormArguments a = norm_arguments(x, k.gamma, k.beta, k.mean, k.var, frozen(true));
    fit_frozen(a);
    const std::vector<float> fit = a.fit.floats();  // mean, inverse, scale, shift
    for (std::size_t i = 0; i < got.size(); ++i) {
      const std::size_t n = i % 24;
      const float normal = (in[i] - fit[n]) * fit[24 + n];
      EXPECT_NEAR(got[i], plain[i] - fit[48 + n] * (of_g[n] + normal * of_gx[n]) / 198, 1e-5) << i;
    }
  });
}

}  // namespace dactyl
