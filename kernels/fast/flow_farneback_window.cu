// Window sums and their solution on a GPU. Each thread keeps the running sums of one column of a strip; two rows of
// them at a time lie in shared memory, where each thread sums and solves for one pixel. The order of the sums is that
// of the plain bodies.
#include "kernels/fast/flow_farneback.h"

#ifdef __CUDACC__
#include "engine/each.h"

namespace dactyl::farneback {
namespace {

constexpr int tile = 128, rows_at_once = 2, threads = tile * rows_at_once;
constexpr int widest = tile + 2 * 63;  // columns under the windows of a tile
static_assert(widest <= threads, "a thread sums one column");

// Row y of the column sums over all planes: a pair's planes begin at `m`, shifted to the column.
__device__ void sum_column(const WindowSum& w, const float* m, int height, int width, int y, bool running,
                           double* sum) {
  const i64 plane = i64{height} * width;
  if (w.equal && running) {
    const i64 enters = clamped(y + w.radius, height) * width, leaves = clamped(y - w.radius - 1, height) * width;
    for (int k = 0; k < coefficients; ++k, m += plane)
      sum[k] += static_cast<double>(m[enters]) - static_cast<double>(m[leaves]);
    return;
  }
  for (int k = 0; k < coefficients; ++k) sum[k] = 0;
  for (int j = -w.radius; j <= w.radius; ++j) {
    const float* row = m + clamped(y + j, height) * width;
    const double weight = w.weight(j);
    for (int k = 0; k < coefficients; ++k) sum[k] += weight * static_cast<double>(row[k * plane]);
  }
}

// `tiles` lie beside each other in a frame.
__global__ void __launch_bounds__(threads)
    window_kernel(WindowSum w, const float* m, int height, int width, int tiles, float* flow) {
  __shared__ double sums[rows_at_once][coefficients][widest];
  const i64 plane = i64{height} * width, n = blockIdx.x / tiles;
  const int left = static_cast<int>(blockIdx.x % tiles) * tile, begin = static_cast<int>(blockIdx.y * strip);
  const int end = min(begin + static_cast<int>(strip), height), me = static_cast<int>(threadIdx.x);
  const bool sums_a_column = me < tile + 2 * w.radius;
  const float* column = m + n * coefficients * plane + clamped(left - w.radius + me, width);
  const int row = me / tile, x = me % tile;
  double sum[coefficients];
  for (int y = begin; y < end; y += rows_at_once) {
    for (int r = 0; r < rows_at_once && sums_a_column && y + r < end; ++r) {
      sum_column(w, column, height, width, y + r, y + r > begin, sum);
      for (int k = 0; k < coefficients; ++k) sums[r][k][me] = sum[k];
    }
    __syncthreads();
    if (left + x < width && y + row < end) {
      double total[coefficients] = {};
      for (int j = 0; j <= 2 * w.radius; ++j) {
        const double weight = w.weight(j - w.radius);
        for (int k = 0; k < coefficients; ++k) total[k] += weight * sums[row][k][x + j];
      }
      for (double& t : total) t *= w.scale;
      double u, v;
      solve(total[0], total[1], total[2], total[3], total[4], u, v);
      reinterpret_cast<float2*>(flow)[n * plane + i64{y + row} * width + left + x] =
          make_float2(static_cast<float>(u), static_cast<float>(v));
    }
    __syncthreads();
  }
}

}  // namespace

void solve_windows_fast(const Tensor& m, const WindowSum& window, const Tensor& flow) {
  const i64 n = flow.shape()[0], h = flow.shape()[1], w = flow.shape()[2], tiles = (w + tile - 1) / tile;
  const dim3 grid(static_cast<unsigned>(n * tiles), static_cast<unsigned>((h + strip - 1) / strip));
  window_kernel<<<grid, threads, 0, Context::current().compute().handle()>>>(
      window, m.data<float>(), static_cast<int>(h), static_cast<int>(w), static_cast<int>(tiles), flow.data<float>());
  check_launch("flow_farneback: window");
}

}  // namespace dactyl::farneback
#endif
