// How a block's sums become packs of y. For .cu files of the GPU build only.
#pragma once

#ifdef __CUDACC__
#include "kernels/hopper/implicit_grid.h"
#include "kernels/hopper/quad.h"

namespace dactyl::hopper {

struct ImplicitOutput {
  const bf16* bias;  // or null
  bool relu;
  bf16* y;
};

// A tile's outputs among all groups'.
struct Outputs {
  int first, end;
};
HD inline Outputs outputs_of(const ImplicitShape& s, const TileWork& w) {
  return {w.group * s.outs + w.out, (w.group + 1) * s.outs};
}

#ifdef __CUDA_ARCH_FEAT_SM90_ALL
// Two sums as two numbers of 16 bits, at least `least` (NaN stays NaN).
__device__ inline std::uint32_t finished(float a, float b, std::uint32_t least) {
  std::uint32_t v;
  asm("{\n.reg .b32 both;\ncvt.rn.bf16x2.f32 both, %2, %1;\nmax.NaN.bf16x2 %0, both, %3;\n}\n"
      : "=r"(v)
      : "f"(a), "f"(b), "r"(least));
  return v;
}
__device__ inline std::uint32_t least_output(const ImplicitOutput& e) {
  constexpr std::uint32_t zeros = 0, minus_infinities = 0xff80ff80;
  return e.relu ? zeros : minus_infinities;
}

// A lane's bias of four packs of outputs, from the tile's pack `first` on. It is loaded while the four before are
// finished: not later, as stores lie between, and not through the cache for constants, since then all would be loaded
// at once, into registers that there are not.
struct FourBiases {
  float even[4], odd[4];
  __device__ FourBiases(const ImplicitOutput& e, const Outputs& outputs, int first) {
#pragma unroll
    for (int pack = 0; pack < 4; ++pack) {
      const int channel = outputs.first + 8 * (first + pack) + 2 * (static_cast<int>(threadIdx.x) % 4);
      const bool is_there = e.bias && channel < outputs.end;
      even[pack] = is_there ? float(e.bias[channel]) : 0.0f;
      odd[pack] = is_there ? float(e.bias[channel + 1]) : 0.0f;
    }
  }
};

// A block of 64 places from `first` on. Of 32 outputs, four packs of 8, a lane has two of each of two places; by turns
// with its three neighbours it ends up with a pack of each, a quad with 64 bytes.
template <int n>
__device__ void store_block(const ImplicitShape& s, const ImplicitOutput& e, int first, const Outputs& outputs,
                            const float (&d)[n]) {
  const auto [out, end] = outputs;
  const int lane = threadIdx.x % 32, own = lane % 4,
            place = first + static_cast<int>(threadIdx.x) / 32 % 4 * 16 + lane / 4;
  const i64 pixels[2] = {s.output(place), s.output(place + 8)};
  const std::uint32_t least = least_output(e);
  FourBiases bias(e, outputs, 0);
#pragma unroll
  for (int i = 0; i < n / 4; i += 4) {
    const FourBiases next(e, outputs, i + 4 < n / 4 ? i + 4 : i);
    Words4 words[2] = {};  // of both
#pragma unroll
    for (int pack = 0; pack < 4 && i + pack < n / 4; ++pack) {
      const float* v = d + 4 * (i + pack);
      words[0][pack] = finished(v[0] + bias.even[pack], v[1] + bias.odd[pack], least);
      words[1][pack] = finished(v[2] + bias.even[pack], v[3] + bias.odd[pack], least);
    }
    bias = next;
    const int channel = out + 8 * (i + own);
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      const Words4& w = words[half];
      turn_quad(words[half], lane);
      if (i + own < n / 4 && pixels[half] >= 0 && channel < end)
        *reinterpret_cast<uint4*>(e.y + pixels[half] * s.to_pitch + channel) = {w[0], w[1], w[2], w[3]};
    }
  }
}
#endif

}  // namespace dactyl::hopper
#endif
