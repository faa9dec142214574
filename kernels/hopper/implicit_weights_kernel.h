// dw = dyᵀ·x, x as the taps see it, as a product of outputs × channels, summed over places. A block has a tile and a
// part of the places; one thread has the copy engine bring runs of them, dy and x, into a ring of stages. A warpgroup
// loads dyᵀ of 64 outputs into registers, once for all taps along the width: each sees the run of x a place further.
//
// dy is zero at places without an output, so it does not matter what a tap sees there, as long as it is finite: an
// infinity or NaN in x may come to more taps than see it. Sums go to memory of their own for each part. For .cu files
// of the GPU build only.
#pragma once

#ifdef __CUDACC__
#include "kernels/hopper/implicit_weights_multiply.h"
#include "kernels/hopper/stem_launch.h"
#include "kernels/hopper/tensor_map.h"

namespace dactyl::hopper {

#ifdef __CUDA_ARCH_FEAT_SM90_ALL
// Boxes of 64 channels or outputs that are beyond the group's are not brought: what lies there instead is multiplied,
// each column and row for itself, and not stored.
template <class M>
__device__ void bring_runs(WeightsRing<M> at, const ImplicitShape& s, const WeightsWork& work, const CUtensorMap& x,
                           const CUtensorMap& dy) {
  fetch_map(x);
  fetch_map(dy);
  const int out = work.group * s.outs + work.out, in = work.group * s.ins + work.in;
  const int inputs = min(M::inputs, boxes(s.ins - work.in)), blocks = min(M::blocks, boxes(s.outs - work.out));
  const int bytes = (inputs * M::brought(s) + blocks * M::places) * M::row_bytes;
  for (WeightsWalk walk(s, work, M::places); walk.more(); walk.next(), at.next()) {
    const Pixel p = s.pixel(walk.first_place());
    at.wait_until_empty();
    arrive_and_expect(at.full(), bytes);
#pragma unroll 1
    for (int i = 0; i < inputs; ++i)
      copy_pixels(at.address() + M::input_begin + i * M::input_bytes, x, at.full(), in + i * step_channels,
                  p.w - s.low[2], p.h - s.low[1], p.d - s.low[0], p.n, 0, work.h, work.d);
#pragma unroll 1
    for (int i = 0; i < blocks; ++i)
      copy_pixels(at.address() + i * M::gradient_bytes, dy, at.full(), out + i * step_channels, p.w, p.h, p.d, p.n, 0,
                  0, 0);
  }
}
#endif

template <class M, int taps>
__global__ void __launch_bounds__(128 * (M::warpgroups + 1), 1)
    weights_kernel(const __grid_constant__ ImplicitShape s, const __grid_constant__ WeightsGrid g,
                   [[maybe_unused]] const __grid_constant__ CUtensorMap x,
                   [[maybe_unused]] const __grid_constant__ CUtensorMap dy, [[maybe_unused]] float* sums) {
#ifdef __CUDA_ARCH_FEAT_SM90_ALL
  extern __shared__ unsigned char memory[];
  __shared__ std::uint64_t barriers[2 * M::stages];
  WeightsRing<M> ring{shared_address(barriers), (shared_address(memory) + 1023) / 1024 * 1024};
  if (threadIdx.x < 32) {
    ring.begin();
    publish_barriers();
  }
  __syncthreads();
  const WeightsWork work = g.work(static_cast<int>(blockIdx.x));
  if (warpgroup() == M::warpgroups) {
    give_registers<M::warpgroups == 3 ? 32 : 40>();
    if (threadIdx.x == 128 * M::warpgroups) bring_runs<M>(ring, s, work, x, dy);
  } else {
    take_registers<M::warpgroups == 3 ? 160 : 232>();
    float d[taps][M::columns / 2] = {};
    multiply_runs<M>(ring, s, work, d);
    store_weights<M>(s, work, d, sums);
  }
#endif
}

}  // namespace dactyl::hopper
#endif
