// TV-L1 on GPUs with thread block clusters (Hopper and later): a cluster takes a pair through all warps and iterations
// of a level in one launch. Each block owns a band of rows; half iterations are separated by the cluster's barrier; the
// change is added up in a fixed order by every block for itself, so that all decide alike and no host is asked. What
// blocks tell each other goes through global memory.
#include "kernels/flow_tvl1_solve.h"

#ifdef __CUDACC__
#include <cooperative_groups.h>

#include "engine/each.h"
#include "kernels/clusters.h"
#include "kernels/flow_tvl1_warp.h"
#endif

namespace dactyl::tvl1 {

#ifdef __CUDACC__
namespace {

namespace groups = cooperative_groups;

constexpr int blocks = clusters::blocks, threads = 1024;  // of a cluster; of a block

// The rows of one block. A thread visits the same pixels every time, and only they depend on no other thread.
struct Band {
  int top, bottom, width;

  __device__ Band(const Pair& t, int rank)
      : top(t.height * rank / blocks), bottom(t.height * (rank + 1) / blocks), width(t.width) {}

  template <class Body>
  __device__ void each(const Body& body) const {
    const int thread = static_cast<int>(threadIdx.x), step_x = threads % width, step_y = threads / width;
    int x = thread % width;
    for (int y = top + thread / width; y < bottom; y += step_y, x += step_x) {
      if (x >= width) {
        x -= width;
        if (++y >= bottom) break;
      }
      body(x, y);
    }
  }
};

// The sum over the block, added in an order that depends on nothing; valid in thread 0.
__device__ double sum_of_block(double mine) {
  __shared__ double warps[threads / 32];
  for (int half = 16; half > 0; half /= 2) mine += __shfl_down_sync(~0u, mine, half);
  if (threadIdx.x % 32 == 0) warps[threadIdx.x / 32] = mine;
  __syncthreads();
  double sum = 0;
  if (threadIdx.x == 0)
    for (const double part : warps) sum += part;
  return sum;
}

#if __CUDA_ARCH__ >= 900
__device__ double sum_of_cluster(const double* parts) {
  double sum = 0;
  for (int rank = 0; rank < blocks; ++rank) sum += parts[rank];
  return sum;
}

__device__ void filter_band(const groups::cluster_group& cluster, const Pair& t, const Band& band, int size) {
  cluster.sync();
  band.each([&](int x, int y) {
    const i64 i = i64{y} * t.width + x;
    t.plane(spare_u)[i] = median_at(t.plane(u), t, x, y, size);
    t.plane(spare_v)[i] = median_at(t.plane(v), t, x, y, size);
  });
  cluster.sync();
  band.each([&](int x, int y) {
    const i64 i = i64{y} * t.width + x;
    t.plane(u)[i] = t.plane(spare_u)[i];
    t.plane(v)[i] = t.plane(spare_v)[i];
  });
}

// The block below reads these two of the band's last row, in the planes of the pair.
__device__ void publish(const Pair& t, const Duals& p, int x, int y) {
  const i64 to = i64{y} * t.width + x, from = i64{y - p.top} * t.width + x;
  t.plane(p12)[to] = p.own[p.plane + from];
  t.plane(p22)[to] = p.own[3 * p.plane + from];
}

// One warp's iterations. Within a half iteration a pixel writes only what no other pixel reads in that half. parts: the
// sum of each block.
template <bool shared>
__device__ void iterate(const groups::cluster_group& cluster, const Pair& t, const Duals& p, const Band& band,
                        const Weights& w, const Rule& rule, double* parts) {
  Progress progress;
  while (!progress.done()) {
    if (progress.filters(rule)) filter_band(cluster, t, band, rule.median);
    float change = 0;
    band.each([&](int x, int y) { change += update_flow(t, p, w, x, y); });
    if (progress.wants_change(rule)) {
      const double sum = sum_of_block(change);
      if (threadIdx.x == 0) parts[cluster.block_rank()] = sum;
    }
    cluster.sync();
    band.each([&](int x, int y) {
      update_duals(t, p, w, x, y);
      if (shared && y == band.bottom - 1) publish(t, p, x, y);
    });
    progress.advance(rule, progress.wants_change(rule) ? sum_of_cluster(parts) : 0);
    cluster.sync();
  }
}

// The block's dual variables in shared memory, where its threads read them each half iteration. Elsewhere they would be
// two thirds of the traffic.
__device__ Duals shared_duals(float* memory, const Pair& t, const Band& band) {
  const i64 pixels = i64{t.height} * t.width, plane = i64{(t.height + blocks - 1) / blocks} * t.width;
  const Duals p{memory, plane, t.plane(p11) + (i64{band.top} - 1) * t.width, pixels, band.top};
  band.each([&](int x, int y) {
    for (int k = 0; k < 4; ++k) memory[k * plane + i64{y - band.top} * t.width + x] = 0;
    if (y == band.bottom - 1) publish(t, p, x, y);
  });
  return p;
}
#endif

// `shared`: the dual variables fit into shared memory. They begin at 0 and nobody needs them afterwards.
template <bool shared>
__global__ void __launch_bounds__(threads)
    solve_level([[maybe_unused]] Level level, [[maybe_unused]] Weights w, [[maybe_unused]] Rule rule,
                [[maybe_unused]] double* parts) {
#if __CUDA_ARCH__ >= 900
  extern __shared__ float memory[];
  const groups::cluster_group cluster = groups::this_cluster();
  const i64 n = blockIdx.x / blocks;
  const Pair t = level.pair(n);
  const Band band(t, static_cast<int>(cluster.block_rank()));
  const Duals p = shared ? shared_duals(memory, t, band) : whole(t);
  for (int warp = 0; warp < rule.warps; ++warp) {
    // Reads and writes only what its own thread wrote and will read.
    band.each([&](int x, int y) { linearise(t, w, x, y); });
    cluster.sync();
    iterate<shared>(cluster, t, p, band, w, rule, parts + n * blocks);
  }
#endif
}

}  // namespace

bool solve_by_clusters(i64 pairs, const Level& level, const Weights& w, const Rule& rule) {
  const char* what = "flow_tvl1";
  if (!clusters::run_here(solve_level<false>, what)) return false;
  const std::size_t rows = static_cast<std::size_t>((level.height + blocks - 1) / blocks);
  const std::size_t bytes = 4 * sizeof(float) * rows * static_cast<std::size_t>(level.width);
  const Tensor parts({pairs, blocks}, DType::f64, Context::current().device());
  const bool fits = bytes <= clusters::most_shared_bytes(solve_level<true>, what);
  if (fits && level.height >= blocks)  // no band is empty
    clusters::launch(solve_level<true>, pairs, threads, bytes, what, level, w, rule, parts.data<double>());
  else
    clusters::launch(solve_level<false>, pairs, threads, 0, what, level, w, rule, parts.data<double>());
  return true;
}
#else
bool solve_by_clusters(i64, const Level&, const Weights&, const Rule&) { return false; }
#endif

}  // namespace dactyl::tvl1
