// Convolutions of the nets' sizes on the GPU, by cuDNN's plans, against the reference loops; precision; repeatability.
#include "kernels/ops.h"
#include "tests/check_op.h"

namespace dactyl {
namespace {

struct Layer {
  const char* name;
  Shape x, w;
  Window window;
  i64 groups = 1;
};

const std::vector<Layer> layers{
    {"AlexNet's stem", {4, 227, 227, 3}, {96, 11, 11, 3}, square(11, 4)},
    {"AlexNet's grouped 5×5", {8, 27, 27, 96}, {256, 5, 5, 48}, square(5, 1, 2), 2},
    {"GoogLeNet's 3×3", {8, 56, 56, 64}, {192, 3, 3, 64}, square(3, 1, 1)},
    {"GoogLeNet's 1×1", {8, 28, 28, 192}, {16, 1, 1, 192}, square(1)},
    {"I3D's stem", {1, 10, 112, 112, 3}, {64, 7, 7, 7, 3}, {{7, 7, 7}, {2, 2, 2}, {2, 2, 2}, {3, 3, 3}}},
    {"I3D's 3×3×3", {2, 10, 28, 28, 96}, {128, 3, 3, 3, 96}, window({3, 3, 3}, {1, 1, 1}, {1, 1, 1})},
    {"I3D's 1×1×1", {2, 10, 28, 28, 192}, {64, 1, 1, 1, 192}, window({1, 1, 1}, {1, 1, 1}, {0, 0, 0})},
    {"odd numbers of channels", {3, 17, 19, 5}, {7, 3, 3, 5}, {{3, 3}, {2, 2}, {0, 1}, {2, 1}}},
};

Tensor noise(Shape shape, DType type, std::uint32_t stream) {
  Tensor t(shape, DType::f32, Device::cpu());
  Sequence numbers(test_seed(), stream);
  for (i64 i = 0; i < t.count(); ++i) t.data<float>()[i] = static_cast<float>(2 * numbers.uniform() - 1);
  return t.to(type).to(Device::cuda());
}

// ‖a − b‖ / ‖b‖
double distance(const Tensor& a, const Tensor& b) {
  const std::vector<double> x = numbers(a), y = numbers(b);
  double off = 0, all = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    off += (x[i] - y[i]) * (x[i] - y[i]);
    all += y[i] * y[i];
  }
  return std::sqrt(off / all);
}

// y and the gradients of x, w and the bias.
std::vector<Tensor> everything(const Layer& layer, DType type, Algorithm algorithm, bool relu) {
  Tensor x = noise(layer.x, type, 1).watch(), w = noise(layer.w, type, 2).watch(), b = noise({layer.w[0]}, type, 3);
  b.watch();
  Tape tape;
  const Tensor y =
      conv(x, w, {.window = layer.window, .groups = layer.groups, .bias = b, .relu = relu, .algorithm = algorithm});
  tape.backward(record("projection", {y}, Tensor::zeros({1}, type),
                       [&](const Tensor&) { return Grads{noise(y.shape(), type, 4)}; }));
  return {y.detached(), x.grad(), w.grad(), b.grad()};
}

void expect_near(const Layer& layer, DType type, double limit, bool relu) {
  SCOPED_TRACE(std::string(layer.name) + " in " + to_text(type));
  const auto got = everything(layer, type, Algorithm::library, relu);
  const auto want = everything(layer, type, Algorithm::reference, relu);
  const char* names[] = {"y", "dx", "dw", "db"};
  for (std::size_t i = 0; i < got.size(); ++i) EXPECT_LE(distance(got[i], want[i]), limit) << names[i];
  const auto again = everything(layer, type, Algorithm::library, relu);
  for (std::size_t i = 0; i < got.size(); ++i) EXPECT_TRUE(same_bits(got[i], again[i])) << names[i] << " changed";
}

class Cudnn : public ::testing::Test {
 protected:
  void SetUp() override {
    if (gpu_count() == 0) GTEST_SKIP() << "no GPU here";
    use_ = std::make_unique<Use>(Device::cuda());
  }
  std::unique_ptr<Use> use_;
};

// Relu is left out: where the two round a sum to different sides of zero, whole gradients would differ.
TEST_F(Cudnn, agrees_in_f32) {
  for (const Layer& layer : layers) expect_near(layer, DType::f32, 1e-4, false);
}
TEST_F(Cudnn, agrees_in_tf32) {
  Context::current().math = Math::tf32;
  for (const Layer& layer : layers) expect_near(layer, DType::f32, 3e-3, false);
}
TEST_F(Cudnn, agrees_in_bf16) {
  for (const Layer& layer : layers) expect_near(layer, DType::bf16, 1e-2, false);
}
TEST_F(Cudnn, agrees_in_f16) {
  for (const Layer& layer : layers) expect_near(layer, DType::f16, 3e-3, false);
}

TEST_F(Cudnn, relu_in_the_same_pass) {
  for (const Layer& layer : layers) {
    const Tensor x = noise(layer.x, DType::bf16, 1), w = noise(layer.w, DType::bf16, 2);
    const ConvOptions plain{
        .window = layer.window, .groups = layer.groups, .bias = noise({layer.w[0]}, DType::bf16, 3)};
    ConvOptions fused = plain;
    fused.relu = true;
    EXPECT_LE(distance(conv(x, w, fused), relu(conv(x, w, plain))), 1e-2) << layer.name;
  }
}

// f32 must not lose digits unasked: tf32 keeps 11 bits of each factor, f32 24.
TEST_F(Cudnn, f32_is_not_tf32) {
  const Layer& layer = layers[2];
  const Tensor x = noise(layer.x, DType::f32, 1), w = noise(layer.w, DType::f32, 2);
  ConvOptions options{.window = layer.window, .algorithm = Algorithm::reference};
  const Tensor want = conv(x, w, options);
  options.algorithm = Algorithm::library;
  EXPECT_LE(distance(conv(x, w, options), want), 5e-6);
  Context::current().math = Math::tf32;
  EXPECT_LE(distance(conv(x, w, options), want), 3e-3);
}

// Not the same bits: a slice is computed in its own fastest way.
TEST_F(Cudnn, a_slice_holds_the_dense_numbers) {
  const Layer& layer = layers[5];
  const Tensor x = noise(layer.x, DType::bf16, 1), w = noise(layer.w, DType::bf16, 2);
  const Tensor dense = conv(x, w, {.window = layer.window});
  Tensor wide(dense.shape().with(-1, 256), DType::bf16);
  wide.fill(3);
  conv(x, w, {.window = layer.window, .into = wide.slice(64, 128)});
  EXPECT_LE(distance(wide.slice(64, 128), dense), 1e-2);
  EXPECT_TRUE(same_bits(wide.slice(0, 64), Tensor::full(dense.shape().with(-1, 64), 3, DType::bf16)));
  EXPECT_TRUE(same_bits(wide.slice(192, 64), Tensor::full(dense.shape().with(-1, 64), 3, DType::bf16)));
}

TEST_F(Cudnn, matrix_products_of_the_classifiers) {
  for (const DType type : {DType::f32, DType::bf16, DType::f16}) {
    const Tensor x = noise({37, 1024}, type, 1), w = noise({1000, 1024}, type, 2), b = noise({1000}, type, 3);
    const Tensor want = linear(x, w, {.bias = b, .relu = true, .algorithm = Algorithm::reference});
    const double limit = type == DType::f32 ? 1e-5 : type == DType::f16 ? 3e-3 : 1e-2;
    EXPECT_LE(distance(linear(x, w, {.bias = b, .relu = true, .algorithm = Algorithm::library}), want), limit);
  }
}

}  // namespace
}  // namespace dactyl
