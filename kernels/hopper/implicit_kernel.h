// y = conv(x, w) as a product of places × outputs. A block goes through tiles; one thread has the copy engine bring
// runs of x and filters into two rings of stages, two warpgroups multiply them, each half of the tile's places.
//
// The groups tell by a barrier per stage that they have read it, and are never more than the rings apart: so one
// multiplies while the other writes its outputs, and both find the next tile's first steps there. For .cu files of the
// GPU build only.
#pragma once

#ifdef __CUDACC__
#include "kernels/hopper/implicit_multiply.h"
#include "kernels/hopper/implicit_store.h"
#include "kernels/hopper/implicit_walk.h"
#include "kernels/hopper/stem_launch.h"
#include "kernels/hopper/tensor_map.h"

namespace dactyl::hopper {

constexpr int implicit_threads = 384;

#ifdef __CUDA_ARCH_FEAT_SM90_ALL
template <class M>
__device__ void bring_tile(Rings<M>& at, const ImplicitShape& s, const CUtensorMap& x, const CUtensorMap& w, int first,
                           int group, int out, Steps part) {
  const Pixel p = s.pixel(first);
  const int in = group * s.ins, filter = group * s.outs + out;
  for (RunWalk run(s, s.depth_taps(first, M::places), part); run.more(); run.next(), at.runs.next()) {
    at.runs.wait_until_empty();
    arrive_and_expect(at.runs.full(), M::brought(s) * M::row_bytes);
    copy_pixels(at.runs.address(), x, at.runs.full(), in + run.channel(), p.w - s.low[2], p.h - s.low[1],
                p.d - s.low[0], p.n, run.w, run.h, run.d);
    for (int tap = 0; tap < s.shared; ++tap, at.filters.next()) {
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
    const int first = g.first_place(tile, 128 * blocks);
    bring_tile(at, s, x, w, first, g.group(tile), g.first_out(tile, columns),
               s.part(first, 128 * blocks, g.part(tile), g.parts));
  }
}

template <int blocks, int columns>
__device__ void multiply_all(Rings<TileMemory<blocks, columns>> at, const ImplicitShape& s, const TileGrid& g,
                             const ImplicitOutput& e) {
  const int half = warpgroup();
  float d[blocks][columns / 2];
  for (int tile = blockIdx.x; tile < g.count; tile += gridDim.x) {
    const int first = g.first_place(tile, 128 * blocks);
    multiply_tile(at, s, s.part(first, 128 * blocks, g.part(tile), g.parts), half, d);
    const int group = g.group(tile), out = group * s.outs + g.first_out(tile, columns), end = (group + 1) * s.outs;
    if (blocks == 1 && e.sums) {
      store_sums(s, e.sums + g.part(tile) * s.pixels() * s.groups * s.outs, first + half * 64, out, end, d[0]);
      continue;
    }
#pragma unroll
    for (int b = 0; b < blocks; ++b) store_block(s, e, first + (half * blocks + b) * 64, out, end, d[b]);
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
  if (threadIdx.x == 0) {
    rings.runs.begin();
    rings.filters.begin();
    publish_barriers();
  }
  __syncthreads();
  if (warpgroup() == 2) {
    give_registers<40>();
    if (threadIdx.x == implicit_threads - 128) bring_all<blocks, columns>(rings, s, g, x, w);
  } else {
    take_registers<232>();
    multiply_all<blocks, columns>(rings, s, g, e);
  }
#endif
}

template <int blocks, int columns>
void launch_implicit(const ImplicitShape& s, const void* x, const void* w, int parts, const ImplicitOutput& e) {
  using M = TileMemory<blocks, columns>;
  constexpr int bytes = M::bytes + 1024;
  const TileGrid grid(s, {blocks, columns, s.shared > 1, parts});
  allow(implicit_kernel<blocks, columns>, bytes);
  implicit_kernel<blocks, columns>
      <<<std::min(grid.count, multiprocessors()), implicit_threads, bytes, Context::current().compute().handle()>>>(
          s, grid, input_map(s, x, M::brought(s)), filter_map(s, w, columns), e);
  check_launch("implicit convolution");
}

}  // namespace dactyl::hopper
#endif
