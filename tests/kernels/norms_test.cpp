// Several batch normalisations in one call against each on its own.
#include "kernels/ops.h"
#include "tests/check_op.h"

namespace dactyl {
namespace {

// x, beta, mean, var of each part; one of three has a gamma as well, one relu.
constexpr std::size_t per_part = 4;

std::vector<Input> arguments(const std::vector<i64>& widths, i64 rows) {
  std::vector<Input> all;
  for (const i64 width : widths)
    for (const Input& in : {random({rows, width}, -2, 3), wide(random({width})), fixed(wide(random({width}))),
                            fixed(wide(random({width}, 0.5, 2)))})
      all.push_back(in);
  return all;
}

NormInput part(const std::vector<Tensor>& x, std::size_t i, Statistics statistics) {
  const Tensor* own = &x[i * per_part];
  return {own[0], i == 1 ? own[1] : Tensor(),
          own[1], own[2],
          own[3], {.statistics = statistics, .epsilon = 1e-3, .relu = i == 2}};
}

Tensor joined(const std::vector<Tensor>& x, Statistics statistics) {
  std::vector<NormInput> parts;
  for (std::size_t i = 0; i < x.size() / per_part; ++i) parts.push_back(part(x, i, statistics));
  return concat(batch_norms(parts));
}

Tensor one_by_one(const std::vector<Tensor>& x, Statistics statistics) {
  std::vector<Tensor> y;
  for (std::size_t i = 0; i < x.size() / per_part; ++i) {
    const NormInput in = part(x, i, statistics);
    y.push_back(batch_norm(in.x, in.gamma, in.beta, in.mean, in.var, in.options));
  }
  return concat(y);
}

// On the current device, with statistics that both find as they were.
void expect_same(const std::vector<i64>& widths, i64 rows, DType type, double tolerance) {
  SCOPED_TRACE(std::to_string(rows) + " rows " + to_text(type));
  const std::vector<Input> inputs = moved(arguments(widths, rows), type, Context::current().device());
  i64 channels = 0;
  for (const i64 width : widths) channels += width;
  const Tensor dy = random({rows, channels}).value.to(type).to(Context::current().device());
  const auto outcome = [&](const auto& op) {
    std::vector<Input> own = inputs;
    for (std::size_t i = 0; i < own.size(); ++i)
      if (!own[i].watched) own[i].value = inputs[i].value.clone();
    std::vector<Tensor> all = run([&](auto& x) { return op(x, Statistics::batch); }, own, dy).all();
    for (const Input& in : own)
      if (!in.watched) all.push_back(in.value);
    return all;
  };
  const std::vector<Tensor> got = outcome(joined), want = outcome(one_by_one);
  ASSERT_EQ(got.size(), want.size());
  for (std::size_t i = 0; i < got.size(); ++i)
    expect_close(std::to_string(i), numbers(got[i]), numbers(want[i]), tolerance);
}

}  // namespace

TEST(BatchNorms, everything) {
  for (const Statistics statistics : {Statistics::batch, Statistics::frozen})
    check_op([&](auto& x) { return joined(x, statistics); }, arguments({3, 2, 4}, 6),
             {.slack = 3, .types = {DType::f32}});
}

TEST(BatchNorms, are_each_on_its_own) {
  check_same([](auto& x) { return joined(x, Statistics::batch); },
             [](auto& x) { return one_by_one(x, Statistics::batch); }, arguments({3, 5, 2, 4, 1}, 7));
}

// In one launch: one to four packs of channels to a group, groups that are not full, more slices than one, rows that no
// slice divides; two and four tensors, and five, which are too many.
TEST(BatchNorms, equal_single_ones_in_whole_packs) {
  on_each_device([] {
    for (const DType type : {DType::f32, DType::bf16}) {
      const double tolerance = type == DType::f32 ? 2e-5 : 2e-2;
      for (const i64 rows : {2, 37, 3001}) {
        expect_same({64, 96, 16}, rows, type, tolerance);
        expect_same({8, 24}, rows, type, tolerance);
        expect_same({32, 8, 16, 40}, rows, type, tolerance);
        expect_same({8, 8, 8, 8, 8}, rows, type, tolerance);
        expect_same({8, 7, 16}, rows, type, tolerance);  // one of them in no packs: all on their own
      }
    }
  });
}

// A packed parameter's gradient has one place, which both parts would be told.
TEST(BatchNorms, a_parameter_of_two_gathers_from_both) {
  on_each_device([] {
    const std::vector<Input> inputs = moved(arguments({8, 8}, 20), DType::f32, Context::current().device());
    const auto gradient = [&](bool packed, bool apart) {
      const Tensor gamma = Tensor::full({8}, 2).to(Context::current().device()).watch();
      if (packed) {
        gamma.slot()->grad = Tensor::zeros({8}).to(gamma.device());
        gamma.slot()->owned = true;
      }
      std::vector<NormInput> parts;
      for (std::size_t i : {0, 1}) {
        const Input* own = &inputs[i * per_part];
        parts.push_back({own[0].value, gamma, own[1].value, own[2].value.clone(), own[3].value.clone(), {}});
      }
      Tape tape;
      const Tensor y =
          concat(apart ? std::vector{batch_norms({parts[0]})[0], batch_norms({parts[1]})[0]} : batch_norms(parts));
      const Tensor dy = inputs[0].value;
      tape.backward(record("seed", {y}, Tensor::zeros({1}).to(y.device()), [&](const Tensor&) {
        return Grads{concat({dy, dy})};
      }));
      return numbers(gamma.grad());
    };
    const std::vector<double> want = gradient(false, true);
    expect_close("packed, together", gradient(true, false), want, 1e-5);
    expect_close("packed, apart", gradient(true, true), want, 1e-5);
  });
}

TEST(BatchNorms, those_without_a_gradient_are_left_out) {
  on_each_device([] {
    const std::vector<Input> inputs = moved(arguments({8, 16, 24}, 20), DType::f32, Context::current().device());
    std::vector<Tensor> x;
    for (const Input& in : inputs) x.push_back(in.watched ? Tensor(in.value).watch() : in.value);
    Tape tape;
    const std::vector<Tensor> y =
        batch_norms({part(x, 0, Statistics::batch), part(x, 1, Statistics::batch), part(x, 2, Statistics::batch)});
    const Tensor dy = Tensor::full({20, 16}, 1, DType::f32).to(x[0].device());
    tape.backward(
        record("sum", {y[1]}, Tensor::zeros({1}).to(x[0].device()), [&](const Tensor&) { return Grads{dy}; }));
    EXPECT_FALSE(x[0].slot()->filled);
    EXPECT_TRUE(x[per_part].slot()->filled);
    EXPECT_FALSE(x[2 * per_part].slot()->filled);
  });
}

}  // namespace dactyl
