// A large copy and a large product.
#include "benchmarks/roofs.h"

#include "benchmarks/statistics.h"
#include "benchmarks/timing.h"
#include "kernels/gemm.h"

namespace dactyl {

double copy_roof(double seconds) {
  const i64 numbers = Context::current().device().is_cuda() ? i64{1} << 28 : i64{1} << 25;  // 1 GiB, 128 MiB
  const Tensor from = Tensor::zeros({numbers});
  Tensor to = Tensor::zeros({numbers});
  const Measured m = measure([&] { to.copy_from(from); }, {.seconds = seconds, .graph = false});
  return 2.0 * static_cast<double>(from.bytes()) / (spread(m.ms).median * 1e-3);
}

double matrix_roof(DType type, double seconds) {
  const i64 side = Context::current().device().is_cuda() ? 8192 : 1536;
  const Tensor a = random_numbers({side, side}, type, 1), b = random_numbers({side, side}, type, 2);
  Tensor c({side, side}, type);
  const Measured m = measure([&] { gemm(c, a, false, b, true); }, {.seconds = seconds});
  const double n = static_cast<double>(side);
  return 2 * n * n * n / (spread(m.ms).median * 1e-3);
}

Roofs measure_roofs(DType type, double seconds) { return {copy_roof(seconds), matrix_roof(type, seconds)}; }

}  // namespace dactyl
