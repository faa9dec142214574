// y = conv(x, w) of few places: a block has a tile, or a part of its sums. Its threads copy the windows' rows and the
// weights' to shared memory, several steps ahead; four warps of 16 places multiply one half of each step, four the
// other. All sums of a place meet in the block of the cluster whose place it is. For .cu files of the GPU build only.
#pragma once

#ifdef __CUDACC__
#include "kernels/early.h"
#include "kernels/hopper/few_places_sums.h"

namespace dactyl::hopper {

template <int columns>
__global__ void __launch_bounds__(few_places_threads)
    few_places_kernel([[maybe_unused]] const __grid_constant__ FewPlacesShape s,
                      [[maybe_unused]] const __grid_constant__ FewPlacesGrid g, [[maybe_unused]] const bf16* x,
                      [[maybe_unused]] const bf16* w, [[maybe_unused]] const ImplicitOutput e) {
#ifdef __CUDA_ARCH_FEAT_SM90_ALL
  using M = FewPlacesMemory<columns>;
  constexpr int ahead = M::stages - 1;
  early::let_next_begin();
  extern __shared__ uint4 dynamic[];
  const unsigned memory = static_cast<unsigned>(__cvta_generic_to_shared(dynamic)), last = memory + M::sums;
  announce_to_cluster();
  const FewPlacesWork work = g.work(static_cast<int>(blockIdx.x));
  const FewPlacesCopies<columns> copies(s, work, x, w);
  const auto next = [&](unsigned stage) { return stage + M::stage_bytes == last ? memory : stage + M::stage_bytes; };
  unsigned into = memory, from = memory;
  float d[columns / 8][4] = {};
  early::wait_for_last();
  for (int step = work.first - ahead; step < work.end; ++step, into = next(into)) {  // one loop: less to fetch
    if (step >= work.first) {
      wait_for_copies<ahead - 1>();
      __syncthreads();
    }
    copies.bring(into, step + ahead);
    if (step < work.first) continue;
    multiply_half<columns>(from, d);
    from = next(from);
  }
  wait_for_cluster();  // all blocks have begun
  const FewPlacesSums<columns> sums(s, g, work, last);
  sums.send(work.part, d);
  arrive_at_cluster();
  store_places(s, work, sums, e);
#endif
}

}  // namespace dactyl::hopper
#endif
