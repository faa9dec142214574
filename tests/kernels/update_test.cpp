#include "kernels/ops.h"
#include "tests/check_op.h"

namespace dactyl {
namespace {

const std::vector<double> start{1, -2, 0.5}, slope{0.5, 1, -0.25};

// Two segments of three numbers each, padded to a chunk; the second learns twice as fast and does not decay.
struct Problem {
  Flat flat;
  Tensor first, second, step, rate;

  explicit Problem(DType type) {
    const i64 n = 2 * Flat::chunk;
    flat.values = placed(start, 1, type);
    flat.grads = Tensor::zeros({n}, type);
    flat.segment_of_chunk = Tensor::from({2}, std::vector<std::int32_t>{0, 1});
    flat.rates = Tensor::from({2}, std::vector<float>{1, 2});
    flat.decays = Tensor::from({2}, std::vector<float>{1, 0});
    first = Tensor::zeros({n}, type);
    second = Tensor::zeros({n}, type);
    step = Tensor::zeros({1}, DType::i32);
    rate = Tensor::scalar(0.125);
  }

  // Three steps with gradients 1, 2 and 3 times `slope`; the update sees them multiplied by 1 / grad_scale.
  template <class Update>
  void run(const Update& update, double factor = 1) {
    for (int i = 1; i <= 3; ++i) {
      flat.grads.copy_from(placed(slope, i * factor, flat.values.dtype()));
      update(*this);
      increment(step);
    }
  }

  void expect(const std::vector<double>& segment0, const std::vector<double>& segment1) const {
    const std::vector<double> w = numbers(flat.values);
    const double limit = flat.values.dtype() == DType::f64 ? 1e-8 : 1e-6;
    expect_close("segment 0", {w.begin(), w.begin() + 3}, segment0, limit);
    expect_close("segment 1", {w.begin() + Flat::chunk, w.begin() + Flat::chunk + 3}, segment1, limit);
    EXPECT_EQ(w[3], 0) << "the gap between segments";
    EXPECT_EQ(w.back(), 0);
  }

  static Tensor placed(const std::vector<double>& three, double factor, DType type) {
    std::vector<float> all(2 * Flat::chunk, 0);
    for (std::size_t i = 0; i < 3; ++i) all[i] = all[i + Flat::chunk] = static_cast<float>(factor * three[i]);
    return Tensor::from({2 * Flat::chunk}, all, type);
  }
};

template <class Update>
void expect_trained(const Update& update, const std::vector<double>& segment0, const std::vector<double>& segment1) {
  on_each_device([&] {
    for (const DType type : {DType::f64, DType::f32}) {
      Problem problem(type);
      problem.run(update);
      problem.expect(segment0, segment1);
    }
  });
}

}  // namespace

// All numbers: torch.optim of PyTorch 2.11 in f64, rates 0.125 and 0.25, decays 0.25 and 0.
TEST(Update, sgd) {
  expect_trained([](Problem& p) { sgd(p.flat, p.first, p.rate, {.decay = 0.25}); },
                 {0.246236572, -2.824904785, 0.706226196}, {-0.188750000, -4.377500000, 1.094375000});
}

TEST(Update, sgd_nesterov) {
  expect_trained([](Problem& p) { sgd(p.flat, p.first, p.rate, {.decay = 0.25, .nesterov = true}); },
                 {-0.114299835, -3.275965515, 0.818991379}, {-0.819875000, -5.639750000, 1.409937500});
}

TEST(Update, adam) {
  expect_trained([](Problem& p) { adam(p.flat, p.first, p.second, p.step, p.rate, {.decay = 0.25}); },
                 {0.629447217, -2.355129487, 0.856805920}, {0.269204198, -2.730795807, 1.230795792});
}

TEST(Update, adam_with_decoupled_decay) {
  expect_trained(
      [](Problem& p) { adam(p.flat, p.first, p.second, p.step, p.rate, {.decay = 0.25, .decoupled = true}); },
      {0.555211941, -2.172235572, 0.808511809}, {0.269204198, -2.730795807, 1.230795792});
}

TEST(Update, scaled_gradients) {
  on_each_device([] {
    Problem plain(DType::f32), scaled(DType::f32);
    plain.run([](Problem& p) { sgd(p.flat, p.first, p.rate, {.decay = 0.25}); });
    scaled.run([](Problem& p) { sgd(p.flat, p.first, p.rate, {.decay = 0.25, .grad_scale = 0.25}); }, 4);
    EXPECT_TRUE(same_bits(plain.flat.values, scaled.flat.values));
    plain.run([](Problem& p) { adam(p.flat, p.first, p.second, p.step, p.rate, {}); });
    scaled.run([](Problem& p) { adam(p.flat, p.first, p.second, p.step, p.rate, {.grad_scale = 0.25}); }, 4);
    EXPECT_TRUE(same_bits(plain.flat.values, scaled.flat.values));
  });
}

// What a net in bf16 learns on: the same steps, and copies that follow them.
TEST(Update, narrow_copies) {
  on_each_device([] {
    for (const bool is_sgd : {true, false}) {
      const auto update = [&](Problem& p) {
        if (is_sgd)
          sgd(p.flat, p.first, p.rate, {.decay = 0.25});
        else
          adam(p.flat, p.first, p.second, p.step, p.rate, {.decay = 0.25});
      };
      Problem plain(DType::f32), mixed(DType::f32);
      Flat& flat = mixed.flat;
      const i64 half = Flat::chunk;
      flat.narrow = view(flat.values, 0, {half}).to(DType::bf16);
      for (int i = 1; i <= 3; ++i) {
        const Tensor slopes = Problem::placed(slope, i, DType::f32);
        plain.flat.grads.copy_from(slopes);
        flat.narrow_grads = view(slopes, 0, {half}).to(DType::bf16);  // these slopes are numbers in bf16
        flat.grads = view(slopes, half, {half}).clone();
        update(plain);
        update(mixed);
        increment(plain.step);
        increment(mixed.step);
      }
      EXPECT_TRUE(same_bits(flat.values, plain.flat.values));
      EXPECT_TRUE(same_bits(flat.narrow, view(plain.flat.values, 0, {half}).to(DType::bf16)));
    }
  });
}

TEST(Update, marks_the_values_as_changed) {
  Problem p(DType::f32);
  const std::uint64_t before = p.flat.values.stamp();
  sgd(p.flat, p.first, p.rate, {});
  EXPECT_NE(p.flat.values.stamp(), before);
}

TEST(Update, a_replayed_graph_counts_its_steps) {
  if (gpu_count() == 0) GTEST_SKIP() << "no GPU here";
  const Use use(Device::cuda());
  Problem eager(DType::f32), replayed(DType::f32);
  const auto step = [](Problem& p) {
    adam(p.flat, p.first, p.second, p.step, p.rate, {});
    increment(p.step);
  };
  eager.flat.grads.fill(0.5);
  replayed.flat.grads.fill(0.5);
  Graph graph([&] { step(replayed); });
  for (int i = 0; i < 5; ++i) {
    step(eager);
    graph.run();
  }
  EXPECT_TRUE(graph.captured()) << graph.why_eager();
  EXPECT_TRUE(same_bits(eager.flat.values, replayed.flat.values));
}

TEST(Update, refuses_nonsense) {
  Problem p(DType::f32);
  expect_error([&] { sgd(p.flat, Tensor::zeros({256}), p.rate, {}); }, {"sgd", "(512)", "(256)"});
  expect_error([&] { sgd(p.flat, p.first, Tensor::zeros({2}), {}); }, {"rate", "(2)"});
  expect_error([&] { adam(p.flat, p.first, p.second, p.rate, p.rate, {}); }, {"adam", "step f32"});
  p.flat.narrow = Tensor::zeros({256}, DType::bf16);
  expect_error([&] { sgd(p.flat, p.first, p.rate, {}); }, {"sgd", "gradients f32 (512)"});
}

}  // namespace dactyl
