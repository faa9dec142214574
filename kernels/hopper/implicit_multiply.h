// How a warpgroup adds up its half of a tile. For .cu files of the GPU build only.
#pragma once

#include "kernels/hopper/implicit_grid.h"
#include "kernels/hopper/ring.h"
#include "kernels/hopper/wgmma_widest.h"

#ifdef __CUDA_ARCH_FEAT_SM90_ALL
namespace dactyl::hopper {

template <class M>
struct Rings {
  Ring<M::runs, M::run_bytes> runs;
  Ring<M::filters, M::filter_bytes> filters;
};

// The products of one tap and step, as a group of their own. `run`: the tap's first place.
template <class M, int units, int blocks, int n>
__device__ void multiply_units(float (&d)[blocks][n], unsigned run, unsigned filter, bool add) {
  open_multiplications();
#pragma unroll
  for (int unit = 0; unit < units; ++unit)
#pragma unroll
    for (int b = 0; b < blocks; ++b)
      multiply_swizzled(d[b], swizzled_operand(run + M::run_at(0, b, 0, unit)),
                        swizzled_operand(filter + M::filter_at(unit)), unit > 0 || add);
  end_multiplications();
}

template <class M, int blocks, int n>
__device__ void multiply_step(float (&d)[blocks][n], unsigned run, unsigned filter, int units, bool add) {
  switch (units) {
    case 1:
      return multiply_units<M, 1>(d, run, filter, add);
    case 2:
      return multiply_units<M, 2>(d, run, filter, add);
    case 3:
      return multiply_units<M, 3>(d, run, filter, add);
    default:
      return multiply_units<M, 4>(d, run, filter, add);
  }
}

// Some steps of a tile's sums. Stages are given back when the next products have been asked for and those that read
// them are done; filters that stay are found where the first tile found them.
template <class M, int blocks, int n>
__device__ void multiply_tile(Rings<M>& at, const ImplicitShape& s, Steps part, int group, float (&d)[blocks][n],
                              bool stay) {
  int filter = -1, run = -1;  // stages to give back
  if (stay) at.filters.stage = 0, at.filters.round = 0;
  int step;
  quotient(s.by_steps, part.first, step);
  for (int left = part.count; left > 0; --left, at.runs.next()) {
    at.runs.wait_until_full();
    for (int tap = 0; tap < s.shared; ++tap, at.filters.next()) {
      at.filters.wait_until_full();
      multiply_step<M>(d, at.runs.address() + M::run_at(group, 0, tap, 0), at.filters.address(), s.units(step),
                       filter >= 0);
      wait_for_multiplications<1>();
      if (filter >= 0 && !stay) at.filters.give_back(filter);
      if (tap == 0 && run >= 0) at.runs.give_back(run);
      filter = at.filters.stage;
    }
    run = at.runs.stage;
    if (++step == s.steps) step = 0;
  }
  wait_for_multiplications<0>();
#pragma unroll
  for (int b = 0; b < blocks; ++b) settle(d[b]);
  if (!stay) at.filters.give_back(filter);
  at.runs.give_back(run);
}

}  // namespace dactyl::hopper
#endif
