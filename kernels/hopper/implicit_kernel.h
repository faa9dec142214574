// y = conv(x, w) as a product of places × outputs. A block goes through tiles; one thread has the copy engine bring
// runs of x and filters into two rings of stages, two warpgroups multiply them, each half of the tile's places.
//
// The groups tell by a barrier per stage that they have read it, and are never more than the rings apart: so one
// multiplies while the other writes its outputs, and both find the next tile's first steps there. For .cu files of the
// GPU build only.
#pragma once

#ifdef __CUDACC__
#include "kernels/hopper/implicit_cluster.h"
#include "kernels/hopper/implicit_multiply.h"
#include "kernels/hopper/implicit_store.h"
#include "kernels/hopper/implicit_walk.h"
#include "kernels/hopper/tensor_map.h"

namespace dactyl::hopper {

constexpr int implicit_threads = 384, multiplying_threads = 256;

#ifdef __CUDA_ARCH_FEAT_SM90_ALL
template <class M>
__device__ void bring_tile(Rings<M>& at, const ImplicitShape& s, const CUtensorMap& x, const CUtensorMap& w,
                           const TileWork& tile, Steps part, bool with_filters) {
  const Pixel p = s.pixel(tile.first);
  const int in = tile.group * s.ins, filter = tile.group * s.outs + tile.out;
  for (RunWalk run(s, s.depth_taps(tile.first, M::places), part); run.more(); run.next(), at.runs.next()) {
    at.runs.wait_until_empty();
    arrive_and_expect(at.runs.full(), M::brought(s) * M::row_bytes);
    copy_pixels(at.runs.address(), x, at.runs.full(), in + run.channel(), p.w - s.low[2], p.h - s.low[1],
                p.d - s.low[0], p.n, run.w, run.h, run.d);
    for (int tap = 0; with_filters && tap < s.shared; ++tap, at.filters.next()) {
      at.filters.wait_until_empty();
      arrive_and_expect(at.filters.full(), M::filter_bytes);
      copy_box(at.filters.address(), w, at.filters.full(), run.channel(), run.tap() + tap, filter);
    }
  }
}

template <int blocks, int columns>
__device__ void bring_all(Rings<TileMemory<blocks, columns>> at, const ImplicitShape& s, const TileGrid& g,
                          const CUtensorMap& x, const CUtensorMap& w) {
  fetch_map(x);
  fetch_map(w);
  for (int tile = blockIdx.x; tile < g.count; tile += gridDim.x) {
    const TileWork work = g.work(tile);
    bring_tile(at, s, x, w, work, g.steps(s, work), !g.stay || tile == static_cast<int>(blockIdx.x));
  }
}

// `sums`: where a cluster's parts come together, if tiles are in parts.
template <int blocks, int columns>
__device__ void multiply_all(Rings<TileMemory<blocks, columns>> at, const ImplicitShape& s, const TileGrid& g,
                             const ImplicitOutput& e, [[maybe_unused]] unsigned sums) {
  const int half = warpgroup();
  float d[blocks][columns / 2];
  for (int tile = blockIdx.x; tile < g.count; tile += gridDim.x) {
    const TileWork work = g.work(tile);
    const Outputs outputs = outputs_of(s, work);
    if constexpr (is_parted<blocks, columns>)
      if (g.parts > 1) {
        const PartSums<columns> parts(s, g, work, sums);
        multiply_tile(at, s, g.steps(s, work), half, d, false);
        return add_up_parts<multiplying_threads>(s, e, parts, outputs, half, d[0]);
      }
    multiply_tile(at, s, g.steps(s, work), half, d, g.stay);
#pragma unroll
    for (int b = 0; b < blocks; ++b) store_block(s, e, work.first + (half * blocks + b) * 64, outputs, d[b]);
  }
}
#endif

template <int blocks, int columns>
__global__ void __launch_bounds__(implicit_threads, 1)
    implicit_kernel(const __grid_constant__ ImplicitShape s, const __grid_constant__ TileGrid g,
                    [[maybe_unused]] const __grid_constant__ CUtensorMap x,
                    [[maybe_unused]] const __grid_constant__ CUtensorMap w,
                    [[maybe_unused]] const __grid_constant__ ImplicitOutput e) {
#ifdef __CUDA_ARCH_FEAT_SM90_ALL
  using M = TileMemory<blocks, columns>;
  extern __shared__ unsigned char memory[];
  __shared__ std::uint64_t run_barriers[2 * M::runs], filter_barriers[2 * M::filters];
  const unsigned begin = (shared_address(memory) + 1023) / 1024 * 1024;
  const Rings<M> rings{{shared_address(run_barriers), begin},
                       {shared_address(filter_barriers), begin + M::runs * M::run_bytes}};
  const bool in_parts = is_parted<blocks, columns> && g.parts > 1;
  if (in_parts) arrive_at_cluster();  // "I am there": others may write to my memory
  if (threadIdx.x < 32) {
    rings.runs.begin();
    rings.filters.begin();
    publish_barriers();
  }
  __syncthreads();
  if (warpgroup() == 2) {
    give_registers<40>();
    if (threadIdx.x == multiplying_threads) bring_all<blocks, columns>(rings, s, g, x, w);
    if (in_parts) wait_for_parts();
  } else {
    take_registers<232>();
    multiply_all<blocks, columns>(rings, s, g, e, begin + M::sums);
  }
#endif
}

}  // namespace dactyl::hopper
#endif
