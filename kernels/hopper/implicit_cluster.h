// How the parts of a tile, each with a block of a cluster, become its outputs: every block leaves its sums in its
// shared memory, then adds up a share of the tile from the memory of all. For .cu files of the GPU build only.
#pragma once

#ifdef __CUDACC__
#include "kernels/clusters.h"
#include "kernels/hopper/implicit_store.h"
#include "kernels/hopper/implicit_tile.h"
#include "kernels/hopper/wgmma.h"

#ifdef __CUDA_ARCH_FEAT_SM90_ALL
namespace dactyl::hopper {

// All threads of a cluster's blocks, wherever in the program they stand: what was written before is then seen by all.
__device__ inline void wait_for_cluster() {
  asm volatile("barrier.cluster.arrive.release;\nbarrier.cluster.wait.acquire;\n" ::: "memory");
}
// Where a place of this block's shared memory lies in that of the cluster's block `rank`.
__device__ inline unsigned in_block(unsigned address, int rank) {
  unsigned there;
  asm("mapa.shared::cluster.u32 %0, %1, %2;\n" : "=r"(there) : "r"(address), "r"(rank));
  return there;
}
__device__ inline float4 load_from_block(unsigned address) {
  float4 v;
  asm volatile("ld.shared::cluster.v4.f32 {%0, %1, %2, %3}, [%4];\n"
               : "=f"(v.x), "=f"(v.y), "=f"(v.z), "=f"(v.w)
               : "r"(address)
               : "memory");
  return v;
}

// A warpgroup's 64 places of a part's sums, into rows of `pitch` numbers: eight rows of a warp in different banks.
template <int columns>
struct PartSums {
  static constexpr int pitch = columns + 8, bytes = 128 * pitch * 4;
  unsigned memory;  // shared, at a multiple of 16

  __device__ unsigned at(int row, int column) const { return memory + 4 * (row * pitch + column); }
  __device__ void keep(int half, const float (&d)[columns / 2]) const {
    const int lane = threadIdx.x % 32, row = half * 64 + static_cast<int>(threadIdx.x) / 32 % 4 * 16 + lane / 4;
#pragma unroll
    for (int i = 0; i < columns / 4; ++i)
      asm volatile("st.shared.v2.f32 [%0], {%1, %2};\n" ::"r"(at(row + i % 2 * 8, i / 2 * 8 + 2 * (lane % 4))),
                   "f"(d[2 * i]), "f"(d[2 * i + 1])
                   : "memory");
  }
  // Eight of a row, of all parts in their order.
  __device__ void add(int row, int column, int parts, float (&v)[8]) const {
    for (int part = 0; part < parts; ++part) {
      const unsigned there = in_block(at(row, column), part);
      const float4 low = load_from_block(there), high = load_from_block(there + 16);
      v[0] += low.x, v[1] += low.y, v[2] += low.z, v[3] += low.w;
      v[4] += high.x, v[5] += high.y, v[6] += high.z, v[7] += high.w;
    }
  }
};

// A part's share of the tile from `first` on, its outputs from `out` to `end`, by `threads` threads.
template <int columns, int threads>
__device__ void store_share(const ImplicitShape& s, const ImplicitOutput& e, const PartSums<columns>& sums, int part,
                            int parts, int first, int out, int end) {
  constexpr int packs = columns / 8, all = 128 * packs;
  for (int i = all * part / parts + static_cast<int>(threadIdx.x); i < all * (part + 1) / parts; i += threads) {
    const i64 pixel = s.output(first + i / packs);
    const int column = i % packs * 8, channel = out + column;
    if (pixel < 0 || channel >= end) continue;
    float v[8] = {};
    sums.add(i / packs, column, parts, v);
    store_pack(e, pixel * s.to_pitch + channel, channel, v);
  }
}

// For all threads of the block, those that multiply (the first `threads`, by two warpgroups) with their sums d. `free`:
// shared memory that no copy is on its way to, and that is read no more when all of those come here.
template <int columns, int threads>
__device__ void add_up_parts(const ImplicitShape& s, const TileGrid& g, const ImplicitOutput& e, unsigned free,
                             int tile, const float (&d)[columns / 2]) {
  static_assert(PartSums<columns>::bytes <= TileMemory<1, columns>::bytes);
  const PartSums<columns> sums{free};
  wait_at<threads>(1);
  sums.keep(warpgroup(), d);
  wait_for_cluster();
  const int out = g.group(tile) * s.outs + g.first_out(tile, columns);
  store_share<columns, threads>(s, e, sums, g.part(tile), g.parts, g.first_place(tile, 128), out,
                                (g.group(tile) + 1) * s.outs);
  wait_for_cluster();  // others may still read here
}
// The other threads meanwhile.
__device__ inline void wait_for_parts() {
  wait_for_cluster();
  wait_for_cluster();
}

}  // namespace dactyl::hopper
#endif
#endif
