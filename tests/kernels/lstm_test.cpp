#include "kernels/ops.h"
#include "tests/check_op.h"

namespace dactyl {
namespace {

Op lstm_with(const LstmOptions& options) {
  return [=](const std::vector<Tensor>& x) { return lstm(x[0], x[1], x[2], x[3], options); };
}

// x (N, T, F) and the weights of U units.
std::vector<Input> arguments(i64 n, i64 t, i64 f, i64 u) {
  return {random({n, t, f}), random({4 * u, f}), random({4 * u, u}), random({4 * u})};
}

}  // namespace

// One unit, one input: with all weights 0, i = f = o = σ(b), g = tanh(b).
TEST(Lstm, by_hand) {
  on_each_device([] {
    for (const DType type : {DType::f32, DType::f64}) {
      const Tensor x = Tensor::full({1, 2, 1}, 3, type), zero = Tensor::zeros({4, 1}, type);
      const Tensor b = Tensor::from({4}, std::vector<float>{0, 0, 1, 0}, type);
      const double g = std::tanh(1.0), c1 = 0.5 * g, c2 = 0.5 * c1 + 0.5 * g;
      const std::vector<double> want{0.5 * std::tanh(c1), 0.5 * std::tanh(c2)};
      expect_close("all states", numbers(lstm(x, zero, zero, b, {.sequence = true})), want, 1e-6);
      expect_close("the last state", numbers(lstm(x, zero, zero, b)), {want[1]}, 1e-6);
    }
  });
}

// PyTorch 2.15, nn.LSTM in f64; its gates come in the same order.
TEST(Lstm, agrees_with_pytorch) {
  const auto ramp = [](Shape shape, double scale) {
    Tensor t(shape, DType::f64, Device::cpu());
    for (i64 i = 0; i < t.count(); ++i) t.data<double>()[i] = scale * std::sin(1.0 + 0.7 * static_cast<double>(i));
    return t;
  };
  const Tensor y = lstm(ramp({2, 3, 2}, 1), ramp({8, 2}, 0.8), ramp({8, 2}, 0.6), ramp({8}, 0.3), {.sequence = true});
  expect_close("states", numbers(y),
               {0.149788830898, 0.085343493111, 0.115229302698, 0.124002476519, -0.006912060363, -0.093175943718,
                -0.093694705783, -0.250882451889, 0.052630733437, -0.001825531671, 0.147647647903, 0.091747360881},
               1e-9);
}

TEST(Lstm, everything) {
  check_op(lstm_with({}), arguments(2, 3, 3, 2), {.slack = 3});
  check_op(lstm_with({.sequence = true}), arguments(3, 4, 2, 3), {.slack = 3});
  check_op(lstm_with({}), arguments(1, 1, 1, 1), {.slack = 3});
  check_op(lstm_with({.sequence = true, .algorithm = Algorithm::reference}), arguments(2, 2, 5, 4), {.slack = 3});
}

TEST(Lstm, the_last_state_is_the_end_of_the_sequence) {
  const std::vector<Input> inputs = arguments(2, 4, 3, 5);
  std::vector<Tensor> x;
  for (const Input& in : inputs) x.push_back(in.value);
  const std::vector<double> all = numbers(lstm_with({.sequence = true})(x)), last = numbers(lstm_with({})(x));
  for (std::size_t k = 0; k < 10; ++k) EXPECT_EQ(last[k], all[(k / 5 * 4 + 3) * 5 + k % 5]);
}

TEST(Lstm, refuses_nonsense) {
  const Tensor x = Tensor::zeros({2, 3, 4}), w = Tensor::zeros({8, 4}), u = Tensor::zeros({8, 2}),
               b = Tensor::zeros({8});
  expect_error([&] { lstm(x, Tensor::zeros({8, 5}), u, b); }, {"(2, 3, 4)", "(8, 5)"});
  expect_error([&] { lstm(x, w, Tensor::zeros({6, 2}), b); }, {"(6, 2)"});
  expect_error([&] { lstm(Tensor::zeros({2, 4}), w, u, b); }, {"(2, 4)", "(N, T, F)"});
}

}  // namespace dactyl
