// The check that every cuDNN plan must pass, against the reference loops: it accepts them and nothing else.
#include "kernels/conv_check.h"

#include "tests/check_op.h"

namespace dactyl {
namespace {

struct Case {
  Shape x, w;
  Window window;
  i64 groups = 1;
};

const std::vector<Case> cases{
    {{2, 9, 10, 5}, {7, 3, 3, 5}, {{3, 3}, {2, 2}, {0, 1}, {2, 1}}},
    {{2, 7, 6, 6}, {4, 3, 3, 3}, square(3, 1, 1), 2},
    {{1, 6, 7, 8, 3}, {4, 3, 3, 3, 3}, {{3, 3, 3}, {2, 2, 2}, {0, 1, 1}, {1, 1, 0}}},
    {{2, 4, 5, 5, 6}, {3, 1, 2, 2, 6}, {{1, 2, 2}, {1, 1, 1}, {0, 0, 1}, {0, 0, 0}}},
};

// All of a problem's tensors, filled by the check itself.
struct Filled {
  Tensor x, w, bias, y;
  ConvOptions options;
  ConvProblem problem;
  ConvData data;

  Filled(const Case& c, Pass pass, DType type) : x(c.x, type), w(c.w, type), bias({c.w[0]}, type) {
    options = {.window = c.window, .groups = c.groups, .bias = bias, .relu = true, .algorithm = Algorithm::reference};
    y = Tensor(output_shape(c.x, c.window, c.w[0]), type);
    problem = conv_problem(pass, x, w, y, options);
    data = {x.raw(), w.raw(), y.raw(), bias.raw()};
    fill_conv(problem, data, x.device());
  }

  // The pass by the reference loops, into the place the check looks at.
  void compute() {
    if (problem.pass == Pass::forward) return y.copy_from(conv(x, w, options));
    ConvOptions plain = options;
    plain.bias = Tensor();
    plain.relu = false;
    const Tensor a = problem.pass == Pass::data ? Tensor::zeros(x.shape(), x.dtype()).watch() : x;
    const Tensor b = problem.pass == Pass::weights ? Tensor::zeros(w.shape(), w.dtype()).watch() : w;
    Tape tape;
    tape.backward(record("projection", {conv(a, b, plain)}, Tensor::zeros({1}, y.dtype()),
                         [&](const Tensor&) { return Grads{y}; }));
    (problem.pass == Pass::data ? x : w).copy_from((problem.pass == Pass::data ? a : b).grad());
  }
};

void check_everything(Device device) {
  const Use use(device);
  for (const Case& c : cases)
    for (const Pass pass : {Pass::forward, Pass::data, Pass::weights})
      for (const DType type : {DType::f32, DType::bf16, DType::f16}) {
        Filled f(c, pass, type);
        SCOPED_TRACE(to_text(f.problem) + " on " + to_text(device));
        const Tensor want = conv_samples(f.problem, f.data, device);
        EXPECT_TRUE(std::isnan(conv_error(f.problem, f.data, want))) << "nothing was computed yet";
        f.compute();
        EXPECT_LE(conv_error(f.problem, f.data, want), conv_tolerance(f.problem));
        Tensor result = pass == Pass::forward ? f.y : pass == Pass::data ? f.x : f.w;
        view(result, result.count() / 2, {result.count() - result.count() / 2}).fill(0);
        EXPECT_GT(conv_error(f.problem, f.data, want), 0.1) << "half of the result is missing";
      }
}

TEST(conv_check, accepts_the_definition_and_refuses_the_rest) {
  check_everything(Device::cpu());
  if (gpu_count() > 0) check_everything(Device::cuda());
}

TEST(conv_check, large_problems_are_sampled) {
  const Use use(Device::cpu());
  Filled f({{1, 400, 400, 1}, {1, 1, 1, 1}, square(1)}, Pass::forward, DType::f32);
  const Tensor want = conv_samples(f.problem, f.data, Device::cpu());
  EXPECT_EQ(want.count(), 65536);
  f.compute();
  EXPECT_LE(conv_error(f.problem, f.data, want), conv_tolerance(f.problem));
  view(f.y, f.y.count() - 2000, {2000}).fill(7);
  EXPECT_GT(conv_error(f.problem, f.data, want), conv_tolerance(f.problem)) << "the last 1 % is wrong";
}

// A gradient that is added to what is there: neither may be missing.
void check_sum(Device device) {
  const Use use(device);
  for (const Case& c : cases)
    for (const DType type : {DType::f32, DType::bf16, DType::f16}) {
      Filled f(c, Pass::data, type);
      f.problem.adds = true;
      SCOPED_TRACE(to_text(f.problem) + " on " + to_text(device));
      fill_conv(f.problem, f.data, device);
      const Tensor before = f.x.clone(), want = conv_samples(f.problem, f.data, device);
      const auto is_right = [&] { return conv_error(f.problem, f.data, want) <= conv_tolerance(f.problem); };
      EXPECT_FALSE(is_right()) << "nothing was computed yet";
      f.compute();
      EXPECT_FALSE(is_right()) << "what was there is gone";
      f.x.copy_from(add(f.x, before));
      EXPECT_TRUE(is_right());
    }
}

TEST(conv_check, a_sum_and_what_it_is_added_to) {
  check_sum(Device::cpu());
  if (gpu_count() > 0) check_sum(Device::cuda());
}

// y as a slice of a wider tensor: its numbers are read and compared where they lie, and nothing beside may be written.
void check_slice(Device device) {
  const Use use(device);
  for (const Pass pass : {Pass::forward, Pass::data, Pass::weights})
    for (const DType type : {DType::f32, DType::bf16, DType::f16}) {
      Filled f(cases[0], pass, type);
      const Tensor wide(f.y.shape().with(-1, 17), type);
      f.y = wide.slice(6, f.y.shape().channels());
      f.problem = conv_problem(pass, f.x, f.w, f.y, f.options);
      f.data.y = f.y.raw();
      SCOPED_TRACE(to_text(f.problem) + " on " + to_text(device));
      EXPECT_EQ(f.problem.into, 17);
      fill_conv(f.problem, f.data, device);
      const Tensor want = conv_samples(f.problem, f.data, device);
      EXPECT_TRUE(std::isnan(conv_error(f.problem, f.data, want))) << "nothing was computed yet";
      f.compute();
      EXPECT_LE(conv_error(f.problem, f.data, want), conv_tolerance(f.problem));
      Tensor last = wide.slice(5, 1);
      last.fill(0);
      EXPECT_EQ(std::isnan(conv_error(f.problem, f.data, want)), pass == Pass::forward) << "the channel before it";
    }
}

TEST(conv_check, a_slice_and_what_lies_beside_it) {
  check_slice(Device::cpu());
  if (gpu_count() > 0) check_slice(Device::cuda());
}

TEST(conv_problem, depth_joins_the_batch_where_no_window_sees_it) {
  const Use use(Device::cpu());
  const Tensor x({2, 4, 5, 5, 6}), w({3, 1, 2, 2, 6}), y({2, 4, 4, 4, 3});
  const ConvProblem p = conv_problem(Pass::forward, x, w, y, {.window = window({1, 2, 2}, {1, 1, 1}, {0, 0, 0})});
  EXPECT_EQ(p.batch, 8);
  EXPECT_TRUE(p.is_flat());
  EXPECT_EQ(p.x_count(), x.count());
  EXPECT_EQ(p.y_count(), y.count());
}

TEST(conv_problem, is_known_by_all_its_numbers) {
  const ConvProblem a;
  ConvProblem b = a;
  EXPECT_EQ(a, b);
  b.relu = true;
  EXPECT_NE(a, b);
  b = a, b.high[2] = 1;
  EXPECT_NE(a, b);
  b = a, b.alignment[0] = 4;
  EXPECT_NE(a, b);
  b = a, b.into = 64;
  EXPECT_NE(a, b);
  EXPECT_NE(plan_key(a), plan_key(b));
}

TEST(conv_problem, of_a_sum_knows_the_one_without) {
  ConvProblem plain;
  plain.pass = Pass::data;
  ConvProblem sum = plain;
  sum.adds = true;
  EXPECT_NE(sum, plain);
  EXPECT_EQ(to_text(sum), to_text(plain) + " added");
  sum.alignment[0] = 8;
  EXPECT_EQ(without_sum(sum), plain) << "in memory of its own";
  plain.alignment[0] = 8;
  EXPECT_EQ(without_sum(plain), plain);
}

// As files have it: a problem keeps its name.
TEST(conv_problem, is_kept_under_the_same_text_as_ever) {
  EXPECT_EQ(
      plan_key({}),
      "forward of f32 x (1, 1, 1, 1, 1) w (1, 1, 1, 1, 1) stride (1, 1, 1) padding (0, 0, 0)(0, 0, 0) out (1, 1, 1) "
      "groups 1 aligned (16, 16, 16)");
}

TEST(conv_problem, of_a_slice_knows_its_dense_one) {
  const Use use(Device::cpu());
  const Tensor x({2, 3, 4, 8}, DType::bf16), w({16, 1, 1, 8}, DType::bf16), wide({2, 3, 4, 64}, DType::bf16);
  const ConvOptions options{.window = square(1)};
  const ConvProblem slice = conv_problem(Pass::forward, x, w, wide.slice(4, 16), options);
  EXPECT_TRUE(slice.is_slice());
  EXPECT_EQ(slice.y_pitch(), 64);
  EXPECT_EQ(slice.y_span(), 23 * 64 + 16);
  EXPECT_EQ(slice.alignment[2], 8);
  EXPECT_EQ(dense_problem(slice), conv_problem(Pass::forward, x, w, Tensor({2, 3, 4, 16}, DType::bf16), options));
  EXPECT_FALSE(conv_problem(Pass::forward, x, w, wide.slice(0, 16).dense(), options).is_slice());
}

}  // namespace
}  // namespace dactyl
