// The gradients of a bias and of relu in one pass: the threads' share of it, emulated, and the whole against plain
// loops.
#include "kernels/bias_relu.h"
#include "kernels/fast/masked_rows.h"
#include "kernels/rows.h"
#include "tests/check_op.h"

namespace dactyl {
namespace {

struct Case {
  Tensor dy, y;
};

// Dense, or slices of tensors that have as many channels more on either side.
Case numbers_of(const Shape& shape, DType type, i64 beside) {
  const auto make = [&](double low) {
    const Tensor dense = random(shape, low, 1).value.to(type).to(Context::current().device());
    return beside ? sliced(dense, beside).inner : dense;
  };
  return {make(-0.7), make(-1)};
}

// What all threads of all blocks do, one after the other.
template <class T>
void emulate(const fast::MaskedRows<T>& rows, const fast::Slices& s, bool relu, std::vector<double>& sums) {
  constexpr int size = fast::MaskedRows<T>::size;
  for (int group = 0; group < s.groups(); ++group)
    for (int slice = 0; slice < s.count; ++slice)
      for (int thread = 0; thread < fast::Slices::threads; ++thread) {
        const fast::SlicePart part(s, group, slice, thread);
        if (!part.any) continue;
        float found[size] = {};
        relu ? rows.mask_and_sum(part, found) : rows.sum(part, found);
        for (int i = 0; i < size; ++i) sums.at(static_cast<std::size_t>(part.pack * size + i)) += double{found[i]};
      }
}

std::vector<double> column_sums(const Tensor& t) {
  const std::vector<double> all = numbers(t);
  const std::size_t channels = static_cast<std::size_t>(t.shape().channels());
  std::vector<double> sums(channels);
  for (std::size_t i = 0; i < all.size(); ++i) sums[i % channels] += all[i];
  return sums;
}

void fill_with_nan(Tensor t) { t.fill(std::numeric_limits<double>::quiet_NaN()); }

}  // namespace

TEST(MaskedSums, threads_mask_and_add_every_number_once) {
  const Use use(Device::cpu());
  for (const Shape& shape : {Shape{1, 8}, Shape{37, 24}, Shape{2, 700, 40}, Shape{2100, 8}, Shape{9, 264}})
    for (const DType type : {DType::f32, DType::bf16, DType::f16})
      for (const i64 beside : {0, 8}) {
        SCOPED_TRACE(to_text(shape) + " " + to_text(type) + " beside " + std::to_string(beside));
        const Case c = numbers_of(shape, type, beside);
        Tensor dz(shape, type, Device::cpu());
        fill_with_nan(dz);
        const Tensor want = relu_masked(c.dy, c.y);
        std::vector<double> masked(static_cast<std::size_t>(shape.channels())), all = masked;
        with_narrow(type, [&]<class T>(T) {
          const fast::Slices slices(shape.rows(), shape.channels() / Pack<T>::size);
          emulate<T>(fast::MaskedRows<T>(c.dy, c.y, dz), slices, true, masked);
          emulate<T>(fast::MaskedRows<T>(c.dy), slices, false, all);
        });
        EXPECT_TRUE(same_bits(dz, want));
        expect_close("of dz", masked, column_sums(want), 1e-6);
        expect_close("of dy", all, column_sums(c.dy), 1e-6);
      }
}

// Some in one slice of rows, whose sums are final at once, and some in many; channels that fill no packs, and slices of
// wider tensors that lie on no 16 bytes, go another way.
TEST(MaskedSums, equal_plain_loops) {
  on_each_device([] {
    for (const Shape& shape : {Shape{1, 8}, Shape{37, 24}, Shape{100, 7}, Shape{128, 136}, Shape{2, 350, 72},
                               Shape{2500, 8}, Shape{900, 33}})
      for (const DType type : {DType::f32, DType::bf16, DType::f16, DType::f64})
        for (const i64 beside : {0, 4, 8}) {
          SCOPED_TRACE(to_text(shape) + " " + to_text(type) + " beside " + std::to_string(beside));
          const Case c = numbers_of(shape, type, beside);
          Tensor db({shape.channels()}, type), again({shape.channels()}, type);
          fill_with_nan(db);
          const Tensor dz = relu_gradient(c.dy, c.y, db, Algorithm::automatic), want = relu_masked(c.dy, c.y);
          EXPECT_TRUE(same_bits(dz, want));
          expect_close("of dz", numbers(db), column_sums(want), tolerance(type));
          relu_gradient(c.dy, c.y, again, Algorithm::automatic);
          EXPECT_TRUE(same_bits(again, db)) << "the second run";
          relu_gradient(c.dy, c.y, again, Algorithm::reference);
          expect_close("the reference's", numbers(again), numbers(db), tolerance(type));
          bias_gradient(c.dy, db, Algorithm::automatic);
          expect_close("of dy", numbers(db), column_sums(c.dy), tolerance(type));
        }
  });
}

TEST(MaskedSums, nan_and_zero_let_nothing_through) {
  on_each_device([] {
    const Tensor y = Tensor::from({1, 8}, std::vector<float>{1, 0, -0.0f, -1, NAN, 2, INFINITY, -INFINITY});
    const Tensor dy = Tensor::from({1, 8}, std::vector<float>{1, 2, 3, 4, 5, NAN, 7, 8}), db({8}, DType::f32);
    const std::vector<float> dz = relu_gradient(dy, y, db, Algorithm::automatic).floats(), sums = db.floats();
    for (const std::vector<float>& v : {dz, sums}) {
      EXPECT_TRUE(std::isnan(v[5])) << "a NaN of dy stays visible";
      EXPECT_EQ(std::vector<float>(v.begin(), v.begin() + 5), (std::vector<float>{1, 0, 0, 0, 0}));
      EXPECT_EQ(std::vector<float>(v.begin() + 6, v.end()), (std::vector<float>{7, 0}));
    }
  });
}

// Launches that overlap, inside a graph; memory behind the ends stays as it was.
TEST(MaskedSums, replay_as_a_graph) {
  if (gpu_count() == 0) GTEST_SKIP() << "no GPU here";
  const Use use(Device::cuda());
  const i64 damaged = Pool::damaged();
  for (const Shape& shape : {Shape{40, 64}, Shape{20'000, 96}}) {
    Pool::guard(true);  // which a capture cannot do
    const Case c = numbers_of(shape, DType::bf16, 0);
    Tensor masked({shape.channels()}, DType::bf16), all({shape.channels()}, DType::bf16), want = empty_like(masked);
    const Tensor dz = relu_gradient(c.dy, c.y, want, Algorithm::automatic), want_all = empty_like(all);
    bias_gradient(c.dy, want_all, Algorithm::automatic);
    Pool::guard(false);
    Tensor kept = empty_like(dz);
    Graph graph([&] {
      kept.copy_from(relu_gradient(c.dy, c.y, masked, Algorithm::automatic));
      bias_gradient(c.dy, all, Algorithm::automatic);
    });
    for (int run = 0; run < 3; ++run) {
      for (const Tensor& t : {masked, all, kept}) fill_with_nan(t);
      graph.run();
      EXPECT_TRUE(same_bits(masked, want) && same_bits(all, want_all) && same_bits(kept, dz)) << run;
    }
    EXPECT_TRUE(graph.captured()) << graph.why_eager();
  }
  EXPECT_EQ(Pool::damaged(), damaged) << "blocks of memory were written behind their end";
}

// As the layers call it: dy dense or a slice, channels that fill packs and some that do not.
TEST(MaskedSums, of_layers_equal_the_references) {
  on_each_device([] {
    const Device device = Context::current().device();
    for (const i64 outs : {8, 32, 7})
      for (const bool relu : {true, false})
        for (const bool dense : {true, false}) {
          SCOPED_TRACE(std::to_string(outs) + (relu ? " relu" : "") + (dense ? "" : " slices"));
          const auto layer = [&](Algorithm a) {
            return [=](const std::vector<Tensor>& x) {
              return conv(x[0], x[1], {.window = square(1), .bias = x[2], .relu = relu, .algorithm = a});
            };
          };
          const auto rows = [&](Algorithm a) {
            return [=](const std::vector<Tensor>& x) {
              return linear(flatten(x[0]), flatten(x[1]), {.bias = x[2], .relu = relu, .algorithm = a});
            };
          };
          const std::vector<Input> inputs =
              moved({random({200, 1, 1, 8}), random({outs, 1, 1, 8}), random({outs})}, DType::f32, device);
          const Tensor plain = random({200, 1, 1, outs}).value.to(DType::f32).to(device);
          const Tensor dy = dense ? plain : sliced(plain).inner;
          const Outcome want = run(layer(Algorithm::reference), inputs, dy);
          const Outcome got = run(layer(Algorithm::automatic), inputs, dy);
          const Tensor flat = flatten(plain);
          const Outcome other = run(rows(Algorithm::automatic), inputs, dense ? flat : sliced(flat).inner);
          for (std::size_t i = 0; i < want.dx.size(); ++i) {  // two numbers on either side of zero change little
            expect_close("conv " + std::to_string(i), numbers(got.dx[i]), numbers(want.dx[i]), 2e-3);
            expect_close("linear " + std::to_string(i), numbers(other.dx[i]), numbers(want.dx[i]), 2e-3);
          }
        }
  });
}

}  // namespace dactyl
