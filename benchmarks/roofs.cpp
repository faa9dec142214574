// A large copy and a large product.
#include "benchmarks/roofs.h"

#include <algorithm>

#include "benchmarks/timing.h"
#include "kernels/gemm.h"

namespace dactyl {

namespace {

// A roof is the best the machine does: what else it was busy with does not lower it.
double fastest(const Measured& m) { return *std::min_element(m.ms.begin(), m.ms.end()) * 1e-3; }

}  // namespace

double copy_roof(double seconds) {
  const i64 numbers = Context::current().device().is_cuda() ? i64{1} << 28 : i64{1} << 25;  // 1 GiB, 128 MiB
  const Tensor from = Tensor::zeros({numbers});
  Tensor to = Tensor::zeros({numbers});
  const Measured m = measure([&] { to.copy_from(from); }, {.seconds = seconds, .graph = false});
  return 2.0 * static_cast<double>(from.bytes()) / fastest(m);
}

double matrix_roof(DType type, double seconds) {
  const i64 side = Context::current().device().is_cuda() ? 8192 : 1536;
  const Tensor a = random_numbers({side, side}, type, 1), b = random_numbers({side, side}, type, 2);
  Tensor c({side, side}, type);
  const Measured m = measure([&] { gemm(c, a, false, b, true); }, {.seconds = seconds});
  const double n = static_cast<double>(side);
  return 2 * n * n * n / fastest(m);
}

Roofs measure_roofs(DType type, double seconds) { return {copy_roof(seconds), matrix_roof(type, seconds)}; }

}  // namespace dactyl
