// How the parts of a tile, each with a block of a cluster, become its outputs. The tile's places are shared out among
// the blocks, and every block writes what it has of a place's sums into the memory of the block whose place it is: so
// one barrier is waited for, and what is added lies near. For .cu files of the GPU build only.
#pragma once

#ifdef __CUDACC__
#include "kernels/hopper/cluster.h"
#include "kernels/hopper/implicit_share.h"
#include "kernels/hopper/implicit_store.h"

namespace dactyl::hopper {

template <int blocks, int columns>
constexpr bool is_parted = sums_bytes(blocks, columns) > 0;

#ifdef __CUDA_ARCH_FEAT_SM90_ALL
// A part's sums of all places on their way to their blocks; of this block's places all parts' sums.
template <int columns>
struct PartSums {
  static constexpr int pitch = sums_pitch(columns);
  PlaceShares shares;
  int part, parts, first;  // the tile's first place
  unsigned memory;         // shared, at a multiple of 16: parts × the share's places × pitch

  __device__ PartSums(const ImplicitShape& s, const TileGrid& g, const TileWork& w, unsigned at)
      : shares(min(128, s.places - w.first), g.parts, g.by_parts),
        part(w.part),
        parts(g.parts),
        first(w.first),
        memory(at) {}

  __device__ unsigned at(int of_part, int row, int column) const {
    return memory + 4 * ((of_part * shares.rows + row) * pitch + column);
  }
  // The 64 places of a warpgroup.
  __device__ void send(int half, const float (&d)[columns / 2]) const {
    const int lane = threadIdx.x % 32;
#pragma unroll
    for (int eight = 0; eight < 2; ++eight) {
      const int row = half * 64 + static_cast<int>(threadIdx.x) / 32 % 4 * 16 + eight * 8 + lane / 4;
      if (row >= shares.places) continue;
      const int owner = shares.owner(row);
      const unsigned to = at(part, row - owner * shares.rows, 2 * (lane % 4));
#pragma unroll
      for (int i = 0; i < columns / 8; ++i)
        store_in_block(to + 32 * i, owner, d[4 * i + 2 * eight], d[4 * i + 2 * eight + 1]);
    }
  }
  // Four of a row of this block, of all parts in their order.
  __device__ float4 add(int row, int column) const {
    float4 of[most_parts], sum = {};
#pragma unroll
    for (int p = 0; p < most_parts; ++p)
      if (p < parts) of[p] = load_shared(at(p, row, column));
#pragma unroll
    for (int p = 0; p < most_parts; ++p)
      if (p < parts) sum.x += of[p].x, sum.y += of[p].y, sum.z += of[p].z, sum.w += of[p].w;
    return sum;
  }
};

// Four outputs of a place, of which thread i has every so many-th; none if `to` is null.
struct FourOutputs {
  bf16* to;
  float bias[4];
  int row, column;

  template <int columns>
  __device__ FourOutputs(const ImplicitShape& s, const ImplicitOutput& e, const PartSums<columns>& sums,
                         const Outputs& outputs, int i)
      : to(nullptr), bias{}, row(i / (columns / 4)), column(i % (columns / 4) * 4) {
    const int place = sums.part * sums.shares.rows + row, channel = outputs.first + column;
    if (row >= sums.shares.rows || place >= sums.shares.places || channel >= outputs.end) return;
    const i64 pixel = s.output(sums.first + place);
    if (pixel < 0) return;
    to = e.y + pixel * s.to_pitch + channel;
    for (int j = 0; e.bias && j < 4; ++j) bias[j] = float(e.bias[channel + j]);
  }
  __device__ void store(const ImplicitOutput& e, const float4& v) const {
    const std::uint32_t least = least_output(e);
    *reinterpret_cast<uint2*>(to) = {finished(v.x + bias[0], v.y + bias[1], least),
                                     finished(v.z + bias[2], v.w + bias[3], least)};
  }
};

// The other threads while add_up_parts() runs, which meets the same barriers.
__device__ inline void wait_for_parts() {
  wait_for_cluster();
  arrive_at_cluster();
  wait_for_cluster();
}

// For the threads that multiply, with their sums d: all outputs of this block's places. The first ones' bias is on its
// way while parts are waited for.
template <int threads, int columns>
__device__ void add_up_parts(const ImplicitShape& s, const ImplicitOutput& e, const PartSums<columns>& sums,
                             const Outputs& outputs, int half, const float (&d)[columns / 2]) {
  wait_for_cluster();  // all blocks have begun
  sums.send(half, d);
  arrive_at_cluster();
  FourOutputs four(s, e, sums, outputs, static_cast<int>(threadIdx.x));
  wait_for_cluster();
  for (int i = static_cast<int>(threadIdx.x); i < sums.shares.rows * columns / 4;) {
    if (four.to) four.store(e, sums.add(four.row, four.column));
    i += threads;
    four = FourOutputs(s, e, sums, outputs, i);
  }
}

#endif
}  // namespace dactyl::hopper
#endif
