// How a warpgroup adds up its outputs' gradients, and where its sums go. For .cu files of the GPU build only.
#pragma once

#include "kernels/hopper/implicit_weights_walk.h"
#include "kernels/hopper/ring.h"
#include "kernels/hopper/stem_lines.h"
#include "kernels/hopper/wgmma_turned.h"

#ifdef __CUDA_ARCH_FEAT_SM90_ALL
namespace dactyl::hopper {

template <class M>
using WeightsRing = Ring<M::stages, M::bytes, 4 * M::warpgroups>;

// The sums of a warpgroup. dyᵀ of the next 32 places arrives in registers while the last 32 are multiplied. A stage is
// given back when the next products have been asked for and those that read it are done.
template <class M, int taps>
__device__ void multiply_runs(WeightsRing<M>& at, const ImplicitShape& s, const WeightsWork& work,
                              float (&d)[taps][M::columns / 2]) {
  constexpr int at_once = taps * M::columns / 2 <= (M::warpgroups == 3 ? 96 : 168) ? 2 : 1;  // units: registers
  const int group = warpgroup();
  const unsigned own = turned_pack_at(0, threadIdx.x / 32 % 4, threadIdx.x % 32);
  std::uint32_t dy[2][at_once][4];
  int last = -1;  // a stage to give back
  for (WeightsWalk walk(s, work, M::places); walk.more(); walk.next(), at.next()) {
    at.wait_until_full();
#pragma unroll
    for (int unit = 0; unit < M::units; unit += at_once) {
#pragma unroll
      for (int i = 0; i < at_once; ++i)
        load_turned(dy[unit / at_once % 2][i], at.address() + M::gradient_at(group, unit + i) + own);
      open_multiplications();
#pragma unroll
      for (int i = 0; i < at_once; ++i)
#pragma unroll
        for (int tap = 0; tap < taps; ++tap)
          multiply(d[tap], dy[unit / at_once % 2][i],
                   turned_operand(at.address() + M::input_at(group, unit + i, tap), M::input_bytes));
      end_multiplications();
      wait_for_multiplications<1>();
      if (unit == 0 && last >= 0) at.give_back(last);
    }
    last = at.stage;
  }
  wait_for_multiplications<0>();
#pragma unroll
  for (int tap = 0; tap < taps; ++tap) settle(d[tap]);
}

// sums (halves of parts, outs, taps, ins).
template <class M, int taps>
__device__ void store_weights(const ImplicitShape& s, const WeightsWork& work, const float (&d)[taps][M::columns / 2],
                              float* sums) {
  const int group = warpgroup(), lane = threadIdx.x % 32;
  const int half = M::halves == 2 ? group : 0, block = M::halves == 2 ? 0 : group;
  const int first = work.out + 64 * block + static_cast<int>(threadIdx.x) / 32 % 4 * 16 + lane / 4;
  const int channel = work.in + 2 * (lane % 4), left = s.ins - channel;
  const i64 copy = (i64{work.part} * M::halves + half) * s.groups * s.outs;
#pragma unroll
  for (int further = 0; further < 2; ++further) {
    const int out = first + 8 * further;
    if (out >= s.outs) continue;
    const i64 row = copy + i64{work.group} * s.outs + out, tap = (work.d * s.window[1] + work.h) * taps;
    float* to = sums + (row * s.taps() + tap) * s.ins + channel;
#pragma unroll
    for (int t = 0; t < taps; ++t, to += s.ins)
#pragma unroll
      for (int i = 0; i < M::columns / 2; i += 4)
        if (2 * i < left) *reinterpret_cast<float2*>(to + 2 * i) = {d[t][i + 2 * further], d[t][i + 2 * further + 1]};
  }
}

}  // namespace dactyl::hopper
#endif
