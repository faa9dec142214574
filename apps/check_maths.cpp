// Checks one operation: its derivative by differences, its GPU half against its CPU half.
#include <cmath>
#include <numeric>

#include "apps/check_cases.h"

namespace dactyl {
namespace {

struct Results {
  std::vector<Tensor> tensors;  // the value, then each input's gradient
};

std::vector<float> draw(const Shape& shape, std::uint64_t seed, std::uint32_t stream) {
  Sequence random(seed, stream);
  std::vector<float> values(static_cast<std::size_t>(shape.count()));
  for (float& v : values) {  // off zero, where relu has no derivative
    const double u = random.uniform(-1, 1);
    v = static_cast<float>(u + (u < 0 ? -0.05 : 0.05));
  }
  return values;
}

std::vector<Tensor> inputs_of(const CheckCase& c, std::uint64_t seed, DType type) {
  std::vector<Tensor> x;
  for (const Shape& shape : c.inputs)
    x.push_back(Tensor::from(shape, draw(shape, seed, static_cast<std::uint32_t>(x.size())), type));
  return x;
}

// Σ y·r for fixed random r: one number whose slope is checked in place of each output's.
Tensor projected(const Tensor& y, std::uint64_t seed) {
  const Tensor r = Tensor::from(y.shape(), draw(y.shape(), seed, 99), y.dtype());
  const auto numbers = [](const Tensor& t) { return t.dense().to(Device::cpu()).to(DType::f64); };
  const Tensor a = numbers(y), b = numbers(r);
  const double sum = std::inner_product(a.data<double>(), a.data<double>() + a.count(), b.data<double>(), 0.0);
  return record("projection", {y}, Tensor::scalar(sum, y.dtype()), [r](const Tensor&) { return Grads{r}; });
}

Results run(const CheckCase& c, std::uint64_t seed, DType type) {
  std::vector<Tensor> x = inputs_of(c, seed, type);
  for (Tensor& t : x) t.watch();
  Tape tape;
  const Tensor y = c.op(x);
  tape.backward(projected(y, seed));
  Results results{{y}};
  for (const Tensor& t : x) results.tensors.push_back(t.grad().dense());
  return results;
}

double larger(double a, double b) { return a >= b || std::isnan(a) ? a : b; }  // NaN counts as largest

void nudge(Tensor& t, i64 i, double by) { t.data<double>()[i] += by; }

}  // namespace

double gradient_error(const CheckCase& c, std::uint64_t seed) {
  const Use cpu(Device::cpu());
  const Results results = run(c, seed, DType::f64);
  std::vector<Tensor> x = inputs_of(c, seed, DType::f64);
  constexpr double h = 1e-5;
  double worst = 0, largest = 1e-3;
  for (std::size_t k = 0; k < x.size(); ++k)
    for (i64 i = 0; i < x[k].count(); ++i) {
      nudge(x[k], i, h);
      const double above = projected(c.op(x), seed).item();
      nudge(x[k], i, -2 * h);
      const double slope = (above - projected(c.op(x), seed).item()) / (2 * h);
      nudge(x[k], i, h);
      worst = larger(worst, std::abs(slope - results.tensors[k + 1].data<double>()[i]));
      largest = larger(largest, std::abs(slope));
    }
  return worst / largest;
}

double agreement_error(const CheckCase& c, std::uint64_t seed, Device device) {
  const auto on = [&](Device d) {
    const Use use(d);
    std::vector<std::vector<float>> numbers;
    for (const Tensor& t : run(c, seed, DType::f32).tensors) numbers.push_back(t.floats());
    return numbers;
  };
  const auto ours = on(Device::cpu()), theirs = on(device);
  double error = 0;
  for (std::size_t k = 0; k < ours.size(); ++k) {
    double worst = 0, largest = 1e-6;
    for (std::size_t i = 0; i < ours[k].size(); ++i) {
      worst = larger(worst, std::abs(double{ours[k][i]} - theirs[k][i]));
      largest = larger(largest, std::abs(double{ours[k][i]}));
    }
    error = larger(error, worst / largest);
  }
  return error;
}

}  // namespace dactyl
