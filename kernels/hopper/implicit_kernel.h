// y = conv(x, w) as a product of pixels × outputs. A block goes through tiles; one thread has the copy engine bring the
// steps of their sums into a ring of stages, two warpgroups multiply them, each half of the tile's pixels.
//
// The groups tell by a barrier per stage that they have read it, and are never more than the ring apart: so one
// multiplies while the other writes its outputs, and both find the next tile's first steps there. For .cu files of the
// GPU build only.
#pragma once

#ifdef __CUDACC__
#include "kernels/hopper/implicit_store.h"
#include "kernels/hopper/implicit_tile.h"
#include "kernels/hopper/ring.h"
#include "kernels/hopper/stem_launch.h"
#include "kernels/hopper/tensor_map.h"
#include "kernels/hopper/wgmma_widest.h"

namespace dactyl::hopper {

constexpr int implicit_threads = 384;

#ifdef __CUDA_ARCH_FEAT_SM90_ALL
template <class S>
__device__ void bring_tile(Ring<S>& at, const ImplicitShape& s, const CUtensorMap& x, const CUtensorMap& w, int first,
                           int out) {
  const Pixel p = s.pixel(first);
  const int low[] = {s.window[0] / 2, s.window[1] / 2, s.window[2] / 2};
  for (StepWalk step(s, s.depth_taps(first, S::pixels)); step.more(); step.next(), at.next()) {
    wait_for_phase(at.empty(), at.round ^ 1);
    arrive_and_expect(at.full(), S::bytes);
    copy_pixels(at.address(), x, at.full(), step.channel(), p.w - low[2], p.h - low[1], p.d - low[0], p.n, step.w,
                step.h, step.d);
    copy_box(at.address() + S::pixel_bytes, w, at.full(), step.channel(), step.tap(), out);
  }
}

// A step's products as a group of their own.
template <class S, int units, int blocks, int n>
__device__ void multiply_units(float (&d)[blocks][n], unsigned stage, int group, bool add) {
  open_multiplications();
#pragma unroll
  for (int unit = 0; unit < units; ++unit)
#pragma unroll
    for (int b = 0; b < blocks; ++b)
      multiply_swizzled(d[b], swizzled_operand(stage + S::pixels_at(group, b, unit)),
                        swizzled_operand(stage + S::filters_at(unit)), unit > 0 || add);
  end_multiplications();
}

template <class S, int blocks, int n>
__device__ void multiply_step(float (&d)[blocks][n], unsigned stage, int group, int units, bool add) {
  switch (units) {
    case 1:
      return multiply_units<S, 1>(d, stage, group, add);
    case 2:
      return multiply_units<S, 2>(d, stage, group, add);
    case 3:
      return multiply_units<S, 3>(d, stage, group, add);
    default:
      return multiply_units<S, 4>(d, stage, group, add);
  }
}

// Adds up a tile. A stage is given back a step later, when the products that read it are done.
template <class S, int blocks, int n>
__device__ void multiply_tile(Ring<S>& at, const ImplicitShape& s, int first, int group, float (&d)[blocks][n]) {
  const auto give_back = [&](int stage) {
    if (threadIdx.x % 32 == 0) arrive(at.empty_of(stage));
  };
  int before = -1;
  for (int taps = s.taps_of(first, S::pixels); taps > 0; --taps)
    for (int step = 0; step < s.steps; ++step, at.next()) {
      wait_for_phase(at.full(), at.round);
      multiply_step<S>(d, at.address(), group, s.units(step), before >= 0);
      wait_for_multiplications<1>();
      if (before >= 0) give_back(before);
      before = at.stage;
    }
  wait_for_multiplications<0>();
#pragma unroll
  for (int b = 0; b < blocks; ++b) settle(d[b]);
  give_back(before);
}

template <int blocks, int columns>
__device__ void bring_all(Ring<Stage<blocks, columns>> at, const ImplicitShape& s, const TileGrid& g,
                          const CUtensorMap& x, const CUtensorMap& w) {
  for (int tile = blockIdx.x; tile < g.count; tile += gridDim.x)
    bring_tile(at, s, x, w, g.first_pixel(tile, 128 * blocks), g.first_out(tile, columns));
}

template <int blocks, int columns>
__device__ void multiply_all(Ring<Stage<blocks, columns>> at, const ImplicitShape& s, const TileGrid& g,
                             const ImplicitOutput& e) {
  const int group = warpgroup();
  float d[blocks][columns / 2];
  for (int tile = blockIdx.x; tile < g.count; tile += gridDim.x) {
    const int first = g.first_pixel(tile, 128 * blocks);
    multiply_tile(at, s, first, group, d);
#pragma unroll
    for (int b = 0; b < blocks; ++b)
      store_block(s, e, first + (group * blocks + b) * 64, g.first_out(tile, columns), d[b]);
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
  using S = Stage<blocks, columns>;
  extern __shared__ unsigned char memory[];
  __shared__ std::uint64_t barriers[2 * S::count];
  const Ring<S> ring{shared_address(barriers), (shared_address(memory) + 1023) / 1024 * 1024};
  if (threadIdx.x == 0) begin_ring(ring);
  __syncthreads();
  if (warpgroup() == 2) {
    give_registers<40>();
    if (threadIdx.x == implicit_threads - 128) {
      fetch_map(x);
      fetch_map(w);
      bring_all<blocks, columns>(ring, s, g, x, w);
    }
  } else {
    take_registers<232>();
    multiply_all<blocks, columns>(ring, s, g, e);
  }
#endif
}

template <int blocks, int columns>
void launch_implicit(const ImplicitShape& s, const void* x, const void* w, const ImplicitOutput& e) {
  using S = Stage<blocks, columns>;
  constexpr int bytes = S::count * S::bytes + 1024;
  const TileGrid grid(s, {blocks, columns});
  allow(implicit_kernel<blocks, columns>, bytes);
  implicit_kernel<blocks, columns>
      <<<std::min(grid.count, multiprocessors()), implicit_threads, bytes, Context::current().compute().handle()>>>(
          s, grid, input_map(s, x, S::pixels), filter_map(s, w, columns), e);
  check_launch("implicit convolution");
}

}  // namespace dactyl::hopper
#endif
