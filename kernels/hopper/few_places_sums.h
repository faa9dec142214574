// How the sums of few places, from all parts of a tile, become outputs: every block of the cluster has some of the
// places, and is sent what the others have of them (as in implicit_cluster.h). For .cu files of the GPU build only.
#pragma once

#ifdef __CUDACC__
#include "kernels/hopper/cluster.h"
#include "kernels/hopper/few_places_copies.h"
#include "kernels/hopper/implicit_share.h"
#include "kernels/hopper/implicit_store.h"

namespace dactyl::hopper {

#ifdef __CUDA_ARCH_FEAT_SM90_ALL
// Sums on their way to the blocks that have their places; then, of this block's places, all parts' and halves'.
template <int columns>
struct FewPlacesSums {
  using M = FewPlacesMemory<columns>;
  PlaceShares shares;
  int parts;
  unsigned memory;

  __device__ FewPlacesSums(const FewPlacesShape& s, const FewPlacesGrid& g, const FewPlacesWork& w, unsigned at)
      : shares(min(tile_places, s.places - w.place), g.parts, g.by_parts), parts(g.parts), memory(at) {}

  __device__ unsigned at(int of, int row, int column) const {
    return memory + 4 * ((of * shares.rows + row) * M::sums_pitch + column);
  }
  __device__ void send(int part, const float (&d)[columns / 8][4]) const {
    const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
#pragma unroll
    for (int eight = 0; eight < 2; ++eight) {
      const int row = warp % 4 * 16 + eight * 8 + lane / 4;
      if (row >= shares.places) continue;
      const int owner = shares.owner(row);
      const unsigned to = at(2 * part + warp / 4, row - owner * shares.rows, 2 * (lane % 4));
#pragma unroll
      for (int i = 0; i < columns / 8; ++i) store_in_block(to + 32 * i, owner, d[i][2 * eight], d[i][2 * eight + 1]);
    }
  }
  __device__ float4 add(int row, int column) const {
    float4 sum = load_shared(at(0, row, column));
#pragma unroll 3
    for (int of = 1; of < 2 * parts; ++of) {
      const float4 v = load_shared(at(of, row, column));
      sum.x += v.x, sum.y += v.y, sum.z += v.z, sum.w += v.w;
    }
    return sum;
  }
};

// Where four outputs go, of which thread i has every so many-th, and their bias; nowhere if `to` is null.
struct FourPlaced {
  bf16* to = nullptr;
  float bias[4] = {};
  int row, column;

  template <int columns>
  __device__ FourPlaced(const FewPlacesShape& s, const FewPlacesWork& w, const FewPlacesSums<columns>& sums,
                        const ImplicitOutput& e, int i)
      : row(i / (columns / 4)), column(i % (columns / 4) * 4) {
    const int place = w.part * sums.shares.rows + row, channel = w.group * s.outs + w.out + column;
    if (row >= sums.shares.rows || place >= sums.shares.places || w.out + column >= s.outs) return;
    to = e.y + i64{w.place + place} * s.y_pitch + channel;
    for (int j = 0; e.bias && j < 4; ++j) bias[j] = float(e.bias[channel + j]);
  }
};

// This block's places; the first ones' bias is on its way while the other blocks' sums are waited for.
template <int columns>
__device__ void store_places(const FewPlacesShape& s, const FewPlacesWork& w, const FewPlacesSums<columns>& sums,
                             const ImplicitOutput& e) {
  const std::uint32_t least = least_output(e);
  int i = threadIdx.x;
  FourPlaced four(s, w, sums, e, i);
  wait_for_cluster();
#pragma unroll 1
  for (; i < sums.shares.rows * columns / 4; four = FourPlaced(s, w, sums, e, i += few_places_threads)) {
    if (!four.to) continue;
    const float4 v = sums.add(four.row, four.column);
    *reinterpret_cast<uint2*>(four.to) = {finished(v.x + four.bias[0], v.y + four.bias[1], least),
                                          finished(v.z + four.bias[2], v.w + four.bias[3], least)};
  }
}
#endif

}  // namespace dactyl::hopper
#endif
