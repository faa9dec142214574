// Convolutions of one tap as matrix products: multiplied as cuBLASLt would, they give the numbers of the definition.
#include "kernels/conv_product.h"

#include "kernels/conv_check.h"
#include "kernels/fast/few_rows.h"
#include "tests/check_op.h"

namespace dactyl {
namespace {

struct Case {
  Shape x;
  i64 outs, into, first;  // into: y's tensor has so many channels (0: y is dense), y begins at `first`
};

const std::vector<Case> cases{{{2, 3, 4, 5}, 7, 0, 0},   {{2, 3, 4, 8}, 16, 40, 8}, {{1, 2, 3, 2, 3}, 5, 11, 3},
                              {{37, 1, 1, 9}, 4, 0, 0},  {{1, 1, 1, 1}, 1, 0, 0},   {{1, 5, 1, 6}, 1, 9, 8},
                              {{2, 2, 3, 3, 4}, 3, 0, 0}};

Window of_one(const Shape& x) { return x.rank() == 4 ? square(1) : window({1, 1, 1}, {1, 1, 1}, {0, 0, 0}); }

// A problem with its tensors; y is a slice if the case says so.
struct Problem {
  Tensor x, w, y, bias;
  ConvProblem problem;

  Problem(const Case& c, Pass pass, DType type, bool adds = false) : x(c.x, type), bias({c.outs}, type) {
    Shape shape = c.x.with(-1, c.x.channels()).with(0, c.outs);
    for (int i = 1; i + 1 < shape.rank(); ++i) shape = shape.with(i, 1);
    w = Tensor(shape, type);
    const Tensor all(c.x.with(-1, c.into ? c.into : c.outs), type);
    y = c.into ? all.slice(c.first, c.outs) : all;
    problem = conv_problem(pass, x, w, y, {.window = of_one(c.x), .bias = bias, .relu = true});
    problem.adds = adds;
    fill_conv(problem, data(), x.device());
  }
  ConvData data() const { return {x.raw(), w.raw(), y.raw(), bias.raw()}; }
};

// What cuBLASLt does: column-major matrices, whose columns lie `pitch` apart.
template <class T>
void multiply(const MatrixProduct& m, const ProductData& d) {
  const T *left = static_cast<const T*>(d.left), *right = static_cast<const T*>(d.right);
  const T* bias = static_cast<const T*>(d.bias);
  T* result = static_cast<T*>(d.result);
  for (i64 c = 0; c < m.columns; ++c)
    for (i64 r = 0; r < m.rows; ++r) {
      double sum = 0;
      for (i64 k = 0; k < m.inner; ++k)
        sum += double(left[m.transpose_left ? r * m.pitch[0] + k : k * m.pitch[0] + r]) *
               double(right[m.transpose_right ? k * m.pitch[1] + c : c * m.pitch[1] + k]);
      if (m.bias) sum += double(bias[r]);
      if (m.adds) sum += double(result[c * m.pitch[2] + r]);
      result[c * m.pitch[2] + r] = T(static_cast<compute_t<T>>(m.relu && sum < 0 ? 0 : sum));
    }
}

// Multiplies, and compares with the definition.
void expect_the_convolution(const Case& c, Pass pass, DType type, bool adds) {
  const Problem p(c, pass, type, adds);
  SCOPED_TRACE(to_text(p.problem));
  const Tensor want = conv_samples(p.problem, p.data(), Device::cpu());
  const auto product = as_product(p.problem);
  ASSERT_TRUE(product);
  with_float(type, [&]<class T>() { multiply<T>(*product, product_data(pass, p.data())); });
  EXPECT_LE(conv_error(p.problem, p.data(), want), conv_tolerance(p.problem));
}

TEST(conv_product, is_the_convolution) {
  const Use use(Device::cpu());
  for (const Case& c : cases)
    for (const DType type : {DType::f32, DType::bf16, DType::f16}) {
      for (const Pass pass : {Pass::forward, Pass::data, Pass::weights}) expect_the_convolution(c, pass, type, false);
      expect_the_convolution(c, Pass::data, type, true);
    }
}

TEST(conv_product, has_the_pitches_and_alignments_of_its_tensors) {
  const Use use(Device::cpu());
  const Case c{{2, 3, 4, 8}, 16, 40, 4};
  const i64 address = 2 * 4 % 16;  // bytes, of a slice of bf16 from channel 4 on
  const auto forward = as_product(Problem(c, Pass::forward, DType::bf16).problem);
  EXPECT_EQ(forward->pitch, (std::array<i64, 3>{8, 8, 40}));
  EXPECT_EQ(forward->alignment, (std::array<i64, 3>{16, 16, address}));
  EXPECT_TRUE(forward->bias && forward->relu);
  const auto data = as_product(Problem(c, Pass::data, DType::bf16).problem);
  EXPECT_EQ(data->pitch, (std::array<i64, 3>{8, 40, 8}));
  EXPECT_EQ(data->alignment, (std::array<i64, 3>{16, address, 16}));
  const auto weights = as_product(Problem(c, Pass::weights, DType::bf16).problem);
  EXPECT_EQ(weights->pitch, (std::array<i64, 3>{8, 40, 8}));
  EXPECT_EQ(weights->inner, 24);
  EXPECT_FALSE(weights->bias || weights->relu);
}

// On either device; the search on a GPU compares it once more.
void check_few_rows(Device device) {
  const Use use(device);
  const std::vector<Case> few{{{1, 1, 1, 64}, 5, 0, 0},
                              {{2, 1, 1, 24}, 3, 0, 0},
                              {{1, 1, 3, 8}, 10, 17, 5},
                              {{4, 1, 1, 520}, 33, 0, 0},
                              {{1, 2, 2, 2056}, 7, 16, 8}};
  for (const Case& c : few)
    for (const DType type : {DType::f32, DType::bf16, DType::f16}) {
      const Problem p(c, Pass::forward, type);
      SCOPED_TRACE(to_text(p.problem) + " on " + to_text(device));
      ASSERT_TRUE(fast::few_rows_fit(p.problem));
      const Tensor want = conv_samples(p.problem, p.data(), device);
      fast::few_rows(p.problem, p.data(), device);
      EXPECT_LE(conv_error(p.problem, p.data(), want), conv_tolerance(p.problem));
    }
}

TEST(conv_product, of_few_rows_by_packs_of_weights) {
  check_few_rows(Device::cpu());
  if (gpu_count() > 0) check_few_rows(Device::cuda());
}

TEST(conv_product, of_few_rows_is_not_every_product) {
  const Use use(Device::cpu());
  const ConvProblem good = Problem({{4, 1, 1, 8}, 5, 0, 0}, Pass::forward, DType::bf16).problem;
  ASSERT_TRUE(fast::few_rows_fit(good));
  EXPECT_FALSE(fast::few_rows_fit(Problem({{5, 1, 1, 8}, 5, 0, 0}, Pass::forward, DType::bf16).problem));
  EXPECT_FALSE(fast::few_rows_fit(Problem({{4, 1, 1, 12}, 5, 0, 0}, Pass::forward, DType::bf16).problem));
  EXPECT_TRUE(fast::few_rows_fit(Problem({{4, 1, 1, 12}, 5, 0, 0}, Pass::forward, DType::f32).problem));
  EXPECT_FALSE(fast::few_rows_fit(Problem({{4, 1, 1, 8}, 5, 0, 0}, Pass::data, DType::bf16).problem));
  for (const std::size_t operand : {0, 1}) {
    ConvProblem p = good;
    p.alignment[operand] = 8;
    EXPECT_FALSE(fast::few_rows_fit(p));
  }
}

TEST(conv_product, is_not_every_convolution) {
  const Use use(Device::cpu());
  const ConvProblem good = Problem(cases[0], Pass::forward, DType::f32).problem;
  ASSERT_TRUE(as_product(good));
  const auto refused = [&](auto change) {
    ConvProblem p = good;
    change(p);
    return !as_product(p);
  };
  EXPECT_TRUE(refused([](auto& p) { p.kernel[2] = 2; }));
  EXPECT_TRUE(refused([](auto& p) { p.stride[1] = 2; }));
  EXPECT_TRUE(refused([](auto& p) { p.low[0] = 1; }));
  EXPECT_TRUE(refused([](auto& p) { p.high[2] = 1; }));
  EXPECT_TRUE(refused([](auto& p) { p.groups = 5, p.ins = 1; }));
  EXPECT_TRUE(refused([](auto& p) { p.batch = 0; }));
  EXPECT_TRUE(refused([](auto& p) { p.outs = 0; }));
}

TEST(conv_product, of_single_pixels_is_a_linear_layer) {
  const Use use(Device::cpu());
  EXPECT_TRUE(Problem(cases[3], Pass::forward, DType::f32).problem.is_linear());
  EXPECT_FALSE(Problem(cases[0], Pass::forward, DType::f32).problem.is_linear());
}

TEST(algorithm_name, is_read_as_it_was_written) {
  for (const AlgorithmWords& words :
       {AlgorithmWords{0x42, 0, 0x5a}, AlgorithmWords{}, AlgorithmWords{~0ull, 1, 2, 3, 4, 5, 6, ~0ull >> 1}}) {
    const auto read = read_algorithm_name(algorithm_name(words));
    ASSERT_TRUE(read) << algorithm_name(words);
    EXPECT_EQ(*read, words);
  }
  EXPECT_EQ(algorithm_name({0x42, 0, 0x5a}), "gemm 42 0 5a");
  EXPECT_EQ(algorithm_name({}), "gemm 0");
  for (const char* text :
       {"", "gemm", "gemm ", "gemm 0 0", "gemm 42 ", "gemm  42", "gemm 042", "gemm 4G", "gemm 0x4", "gemm -1",
        "gemm 5A", "gemm 1 2 3 4 5 6 7 8 9", "gemm 10000000000000000", "columns", "engine 47, 12=3", "gemm 42\n"})
    EXPECT_FALSE(read_algorithm_name(text)) << text;
}

}  // namespace
}  // namespace dactyl
