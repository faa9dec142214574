// Polynomial expansion on a GPU: a block sums the columns of its tile into shared memory, then the rows of those sums.
#include "kernels/fast/flow_farneback.h"

#ifdef __CUDACC__
#include "engine/each.h"

namespace dactyl::farneback {
namespace {

constexpr int tile_width = 64, tile_height = 8, threads = 256;
constexpr int most = 15;  // poly_n

// A column's weighted sums about row y, for 1, y, y².
struct Column {
  float one, down, square;
};
__device__ Column sum_column(const Fit& fit, const float* x, int height, int width, int y) {
  Column s{x[clamped(y, height) * width] * fit.g[0], 0, 0};
  for (int j = 1; j <= fit.n; ++j) {
    const float above = x[clamped(y - j, height) * width], below = x[clamped(y + j, height) * width];
    s.one += fit.g[j] * (above + below);
    s.down += fit.xg[j] * (below - above);
    s.square += fit.xxg[j] * (above + below);
  }
  return s;
}

// The sums over a row of column sums, about the pixel that the addresses are of.
__device__ Moments sum_row(const Fit& fit, const float* one, const float* down, const float* square) {
  Moments sum;
  sum.one = static_cast<double>(one[0]) * fit.g[0];
  sum.y = static_cast<double>(down[0]) * fit.g[0];
  sum.yy = static_cast<double>(square[0]) * fit.g[0];
  for (int j = 1; j <= fit.n; ++j) {
    const double g = fit.g[j], xg = fit.xg[j], xxg = fit.xxg[j], both = one[j] + one[-j];
    sum.one += both * g;
    sum.xx += both * xxg;
    sum.x += static_cast<double>(one[j] - one[-j]) * xg;
    sum.y += static_cast<double>(down[j] + down[-j]) * g;
    sum.xy += static_cast<double>(down[j] - down[-j]) * xg;
    sum.yy += static_cast<double>(square[j] + square[-j]) * g;
  }
  return sum;
}

// `tiles` lie beside each other in an image. One row of sums is read by one warp: neighbours in neighbouring banks.
__global__ void __launch_bounds__(threads)
    expand_kernel(Fit fit, const float* images, int height, int width, int tiles, float* polynomials) {
  __shared__ float sums[3][tile_height][tile_width + 2 * most];
  const i64 plane = i64{height} * width, n = blockIdx.x / tiles;
  const int left = static_cast<int>(blockIdx.x % tiles) * tile_width;
  const int top = static_cast<int>(blockIdx.y) * tile_height, across = tile_width + 2 * fit.n;
  for (int i = static_cast<int>(threadIdx.x); i < tile_height * across; i += threads) {
    const int row = i / across, column = i % across;
    const float* x = images + n * plane + clamped(left + column - fit.n, width);
    const Column s = sum_column(fit, x, height, width, top + row);
    sums[0][row][column] = s.one;
    sums[1][row][column] = s.down;
    sums[2][row][column] = s.square;
  }
  __syncthreads();
  for (int i = static_cast<int>(threadIdx.x); i < tile_height * tile_width; i += threads) {
    const int row = i / tile_width, column = i % tile_width, y = top + row, x = left + column;
    if (y >= height || x >= width) continue;
    const int at = column + fit.n;
    float c[coefficients];
    coefficients_of(fit, sum_row(fit, sums[0][row] + at, sums[1][row] + at, sums[2][row] + at), c);
    for (int k = 0; k < coefficients; ++k) polynomials[(n * coefficients + k) * plane + i64{y} * width + x] = c[k];
  }
}

}  // namespace

void expand_fast(const Tensor& image, const Fit& fit, const Tensor& polynomials) {
  const i64 n = image.shape()[0], h = image.shape()[1], w = image.shape()[2];
  const i64 tiles = (w + tile_width - 1) / tile_width;
  const dim3 grid(static_cast<unsigned>(n * tiles), static_cast<unsigned>((h + tile_height - 1) / tile_height));
  expand_kernel<<<grid, threads, 0, Context::current().compute().handle()>>>(
      fit, image.data<float>(), static_cast<int>(h), static_cast<int>(w), static_cast<int>(tiles),
      polynomials.data<float>());
  check_launch("flow_farneback: expand");
}

}  // namespace dactyl::farneback
#endif
